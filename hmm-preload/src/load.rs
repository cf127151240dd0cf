//! What is done once, when the library is loaded.
//!
//! By an entry in the table of functions that the loader calls then, so that nothing needs to be
//! registered. First of all constructors of what it is linked with: the process is set up by calls
//! of libc's, and an allocation may come out of the midst of one (glibc's `pthread_atfork` grows its
//! table by `malloc`, with its lock held).

use crate::{cxx, exit_report};

#[used]
#[unsafe(link_section = ".init_array.00000")]
static AT_LOAD: extern "C" fn() = prepare;

extern "C" fn prepare() {
    hmm_sys::begin();
    exit_report::prepare();
    cxx::prepare();
}
