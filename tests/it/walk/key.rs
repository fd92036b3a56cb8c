//! Every key and token: the methods that store one without a sign-in.
