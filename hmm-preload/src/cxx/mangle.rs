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

/// A mangled name as a [`CStr`](core::ffi::CStr), which ends with a 0.
macro_rules! name {
    ($($part:tt)*) => {
        match core::ffi::CStr::from_bytes_with_nul(concat!(mangled!($($part)*), "\0").as_bytes()) {
            Ok(name) => name,
            Err(_) => c"",
        }
    };
}
