//! Every row of the catalog, and every method of it, against the server in this process:
//! what is asked for, what is posted, what is stored, and what a refresh makes of it.

mod key;
mod login;
mod template;
mod way;
