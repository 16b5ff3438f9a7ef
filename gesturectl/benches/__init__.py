"""What `gesturectl bench` can measure: a module for each subject, named in `bench.BENCHES`."""
