//! These tests run the command line program, and check its output, its files and its exit codes.
#![cfg(feature = "cli")]
#![cfg_attr(not(unix), allow(dead_code, unused_imports))]

#[cfg(unix)]
mod all_failed;
mod bad_input;
#[cfg(unix)]
mod bad_input_table;
mod baselines;
mod bench;
#[cfg(feature = "parquet")]
mod columnar;
#[cfg(all(unix, feature = "parquet"))]
mod columnar_input;
#[cfg(unix)]
mod compressed;
#[cfg(unix)]
mod encodings;
#[cfg(unix)]
mod exec;
#[cfg(unix)]
mod exit_codes;
mod explanation;
mod failed_records;
mod failures;
mod fields;
mod formats;
mod found_formats;
mod generate;
mod hostile;
#[cfg(all(unix, feature = "http"))]
mod http;
#[cfg(unix)]
mod joined;
mod kept_fields;
#[cfg(unix)]
mod limits;
mod matched;
mod matching;
mod odd_names;
#[cfg(unix)]
mod outputs;
#[cfg(target_os = "linux")]
mod process_pool;
mod program;
mod report;
#[cfg(unix)]
mod resume;
#[cfg(unix)]
mod samples;
mod scores_file;
mod scores_formats;
#[cfg(unix)]
mod shards;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod streams;
mod usage;

#[cfg(target_os = "linux")]
use program::lives;
use program::{
    EXECUTORS, LITTLE_MEMORY, Ran, THREE, binary, columns, example, finish, folder_with, gzip,
    make_pipe, names, output_of, program, ran, read, run, sample, score, score_in_little_memory,
    score_stdin, send, send_until_it_ends, shell, start, start_scoring, start_shell, unfinished,
    wait_for, wait_while_running, write,
};
