//! Tests of the options of a service, of everything that is read without a call, and of calls.

mod calls;
mod connections;
mod proxies;
mod secrets;
mod server;
mod templates;
mod values;
mod waiting;
