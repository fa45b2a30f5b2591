//! API servers of every temper: how much they are asked, what is made of their refusals and hiccups, and that no secret
//! gets out.

mod agent;
mod hiccups;
mod limits;
mod logs;
mod monitoring;
mod order;
mod refusals;
mod requests;
mod secrets;
