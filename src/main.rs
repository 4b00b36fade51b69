//! The `manyhands` command: parse, dispatch, exit code.

fn main() {}
