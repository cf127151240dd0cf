//! Names of operators as C++ mangles them: `mangled!("_Znw" size)` is
//! `operator new(size_t)`.

macro_rules! mangled {
    ($head:literal $($tail:literal)?) => {
        concat!($head $(, $tail)?)
    };
    ($head:literal size $($tail:literal)?) => {
        concat!($head, size_t!() $(, $tail)?)
    };
}

/// `unsigned long` where pointers have 64 bits, `unsigned int` elsewhere.
#[cfg(target_pointer_width = "64")]
macro_rules! size_t {
    () => {
        "m"
    };
}

#[cfg(not(target_pointer_width = "64"))]
macro_rules! size_t {
    () => {
        "j"
    };
}
