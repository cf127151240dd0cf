//! Linker arguments that make `libhmm.so` what a program expects of a library
//! under its `malloc`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    // Last, whatever the libc crate links: it leaves that to the standard
    // library once another crate of the same build has one.
    println!("cargo::rustc-cdylib-link-arg=-lc");
    for arg in [
        // What programs that are linked against it record and look for.
        "-soname=libhmm.so",
        // Blocks outlive a `dlclose`, and so must the code that frees them.
        "-znodelete",
        // No lazy binding: its resolver would run inside the first malloc.
        "-znow",
        "-zrelro",
        // What the library calls of itself is itself, whoever else exports it.
        "-Bsymbolic-functions",
        // A symbol that libc lacks is an error here and not in a user's program.
        "-zdefs",
    ] {
        println!("cargo::rustc-cdylib-link-arg=-Wl,{arg}");
    }
}
