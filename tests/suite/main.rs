//! The program from the outside: arguments and inputs (`cli`), API servers of every temper (`edges`), recorded states
//! (`scenarios`), models (`words`), the documents (`docs`), the gates (`accuracy`) and a real cluster (`cluster`, ignored unless asked for).

#![expect(clippy::needless_pass_by_value, reason = "`json!` literals read best as arguments")]

#[cfg(test)]
#[path = "../accuracy/mod.rs"]
mod accuracy;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod edges;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod support;
#[cfg(test)]
mod words;
