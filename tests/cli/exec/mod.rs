//! These tests run `--with exec`, and the guards of its programs.

#[cfg(target_os = "linux")]
mod chaos;
mod columns;
#[cfg(target_os = "linux")]
mod guard;
mod page;
#[cfg(target_os = "linux")]
mod stops;
mod usage;
