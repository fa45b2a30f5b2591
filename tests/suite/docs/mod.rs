//! What README and docs say: their commands are run, their pictures are the program's.

mod commands;
mod pictures;
mod release;
