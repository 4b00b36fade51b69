//! Where the results of a run go: scores files, pages, and what a terminal may be shown.

pub mod visible;
