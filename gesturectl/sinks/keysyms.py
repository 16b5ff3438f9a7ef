"""The old X11 keysyms of characters: what layouts call `я` and `č` before Unicode had a rule.

`character_keysyms` gives every number under which a layout may list a character. Source of the
table: <X11/keysymdef.h>, its entries with a Unicode character, without those that no layout has
on a key (line drawing, APL).
"""

from __future__ import annotations

from gesturectl.keys import Key, character_keysym

# First keysym of a run → the characters of the run.
_RUNS = {
    0x01A1: "Ą˘Ł",
    0x01A5: "ĽŚ",
    0x01A9: "ŠŞŤŹ",
    0x01AE: "ŽŻ",
    0x01B1: "ą˛ł",
    0x01B5: "ľśˇ",
    0x01B9: "šşťź˝žżŔ",
    0x01C3: "Ă",
    0x01C5: "ĹĆ",
    0x01C8: "Č",
    0x01CA: "Ę",
    0x01CC: "Ě",
    0x01CF: "ĎĐŃŇ",
    0x01D5: "Ő",
    0x01D8: "ŘŮ",
    0x01DB: "Ű",
    0x01DE: "Ţ",
    0x01E0: "ŕ",
    0x01E3: "ă",
    0x01E5: "ĺć",
    0x01E8: "č",
    0x01EA: "ę",
    0x01EC: "ě",
    0x01EF: "ďđńň",
    0x01F5: "ő",
    0x01F8: "řů",
    0x01FB: "ű",
    0x01FE: "ţ˙",
    0x02A1: "Ħ",
    0x02A6: "Ĥ",
    0x02A9: "İ",
    0x02AB: "ĞĴ",
    0x02B1: "ħ",
    0x02B6: "ĥ",
    0x02B9: "ı",
    0x02BB: "ğĵ",
    0x02C5: "ĊĈ",
    0x02D5: "Ġ",
    0x02D8: "Ĝ",
    0x02DD: "ŬŜ",
    0x02E5: "ċĉ",
    0x02F5: "ġ",
    0x02F8: "ĝ",
    0x02FD: "ŭŝ",
    0x03A2: "ĸŖ",
    0x03A5: "ĨĻ",
    0x03AA: "ĒĢŦ",
    0x03B3: "ŗ",
    0x03B5: "ĩļ",
    0x03BA: "ēģŧŊ",
    0x03BF: "ŋĀ",
    0x03C7: "Į",
    0x03CC: "Ė",
    0x03CF: "Ī",
    0x03D1: "ŅŌĶ",
    0x03D9: "Ų",
    0x03DD: "ŨŪ",
    0x03E0: "ā",
    0x03E7: "į",
    0x03EC: "ė",
    0x03EF: "ī",
    0x03F1: "ņōķ",
    0x03F9: "ų",
    0x03FD: "ũū",
    0x047E: "‾",
    0x04A1: "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセ",
    0x04BF: "ソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワ",
    0x04DD: "ン゛゜",
    0x05AC: "،",
    0x05BB: "؛",
    0x05BF: "؟",
    0x05C1: "ءآأؤإئابةتثجحخدذرزسشصضطظعغ",
    0x05E0: "ـفقكلمنهوىي\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652",
    0x06A1: "ђѓёєѕіїјљњћќґўџ№ЂЃЁЄЅІЇЈЉЊЋЌҐЎ",
    0x06BF: "Џюабцдефгхийклмнопярстужвьызшэ",
    0x06DD: "щчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ",
    0x07A1: "ΆΈΉΊΪ",
    0x07A7: "ΌΎΫ",
    0x07AB: "Ώ",
    0x07AE: "΅―",
    0x07B1: "άέήίϊΐόύϋΰώ",
    0x07C1: "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣ",
    0x07D4: "ΤΥΦΧΨΩ",
    0x07E1: "αβγδεζηθικλμνξοπρσςτυφχψω",
    0x08BC: "≤≠≥∫∴∝∞",
    0x08C5: "∇",
    0x08CD: "⇔⇒≡",
    0x08D6: "√",
    0x08DA: "⊂⊃∩∪∧∨",
    0x08EF: "∂",
    0x08F6: "ƒ",
    0x08FB: "←↑→↓",
    0x0AAC: "␣",
    0x0AAE: "…‥⅓⅔⅕⅖⅗⅘⅙⅚℅",
    0x0AC3: "⅛⅜⅝⅞",
    0x0AC9: "™",
    0x0CDF: "‗אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    0x0DA1: "กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรฤลฦวศษสหฬอฮฯะัาำิีึื\u0e38\u0e39\u0e3a",
    0x0DDF: "฿เแโใไๅๆ็\u0e48\u0e49\u0e4a\u0e4b์ํ",
    0x0DF0: "๐๑๒๓๔๕๖๗๘๙",
    0x0EA1: "ㄱㄲㄳㄴㄵㄶㄷㄸㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅃㅄㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ",
    0x0EBF: "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣᆨᆩᆪᆫᆬᆭᆮᆯᆰ",
    0x0EDD: "ᆱᆲᆳᆴᆵᆶᆷᆸᆹᆺᆻᆼᆽᆾᆿᇀᇁᇂㅭㅱㅸㅿㆁㆄㆆㆍㆎᇫᇰᇹ",
    0x0EFF: "₩",
    0x13BC: "ŒœŸ",
    0x20AC: "€",
}
OLD_KEYSYMS: dict[str, int] = {
    character: first + place for first, run in _RUNS.items() for place, character in enumerate(run)
}


def character_keysyms(character: str) -> tuple[int, ...]:
    """Return all keysyms of a character, the usual one first."""
    old = OLD_KEYSYMS.get(character)
    unicode = 0x0100_0000 + ord(character)
    return tuple(dict.fromkeys((character_keysym(character), *([old] if old else ()), unicode)))


def keysyms_of(key: Key) -> tuple[int, ...]:
    """Return all keysyms under which a layout may list a key, the usual one first."""
    return (key.keysym,) if key.character is None else character_keysyms(key.character)
