//! What is known of each address, and the twins of one execution.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::thread::panicking;

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicU64;
use loom::sync::{Mutex, MutexGuard};

/// What is happening.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No model: words are words, and nobody asks who touches them.
    Off,
    /// Threads run one after another, on the words; what they touch is noted.
    Learn,
    /// loom decides who comes next; shared words have twins.
    Model,
}

/// Who touches a word.
#[derive(Clone, Copy)]
struct Touched {
    /// The thread that does; `None` if there are several.
    by: Option<usize>,
    is_written: bool,
    width: Width,
}

impl Touched {
    fn needs_twin(&self) -> bool {
        self.by.is_none() && self.is_written
    }
}

/// How a word is read and written from here.
#[derive(Clone, Copy)]
pub(crate) struct Width {
    pub(crate) read: fn(usize) -> u64,
    pub(crate) write: fn(usize, u64),
}

/// An execution ended early: a word turned out to be shared.
pub(crate) struct Learned;

thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode::Off) };
    /// The number of the model's thread that is running.
    static NUMBER: Cell<usize> = const { Cell::new(0) };
    static TOUCHED: RefCell<BTreeMap<usize, Touched>> = RefCell::default();
    static TWINS: RefCell<HashMap<usize, Rc<AtomicU64>>> = RefCell::default();
    static GATES: RefCell<HashMap<usize, Rc<Mutex<()>>>> = RefCell::default();
    static HELD: RefCell<HashMap<usize, Held>> = RefCell::default();
    /// Threads that are to vanish, and the changes that they make before.
    static FUSES: RefCell<HashMap<usize, usize>> = RefCell::default();
    static BLOCKS: RefCell<HashMap<usize, Rc<UnsafeCell<()>>>> = RefCell::default();
}

/// A thread vanishes.
struct Vanished;

/// Does `act`, from which the calling thread vanishes when it has changed so many words, be they shared or not, and
/// is about to change another. It goes on after that, as after a jump.
pub fn vanish_after(changes: usize, act: impl FnOnce()) {
    let number = NUMBER.get();
    FUSES.with_borrow_mut(|fuses| fuses.insert(number, changes));
    let ended = catch_unwind(AssertUnwindSafe(act));
    FUSES.with_borrow_mut(|fuses| fuses.remove(&number));
    match ended {
        Err(other) if !other.is::<Vanished>() => resume_unwind(other),
        _ => {}
    }
}

/// A word is about to be changed: whoever is to vanish now does.
fn burn() {
    let left = FUSES.with_borrow_mut(|fuses| {
        let left = fuses.get_mut(&NUMBER.get())?;
        *left = left.checked_sub(1).unwrap_or(usize::MAX);
        Some(*left)
    });
    if left == Some(usize::MAX) {
        resume_unwind(Box::new(Vanished));
    }
}

/// Forgets who touched what: another model begins.
pub(crate) fn forget() {
    TOUCHED.take();
}

/// Lets threads run one after another, or ends that.
pub(crate) fn learn(on: bool) {
    MODE.set(if on { Mode::Learn } else { Mode::Off });
}

/// The model's thread `number` goes on now.
pub(crate) fn become_thread(number: usize) {
    NUMBER.set(number);
}

/// An execution begins: shared words get twins with their values.
pub(crate) fn make_twins() {
    let touched = TOUCHED.take();
    let shared = touched.iter().filter(|(_, touched)| touched.needs_twin());
    let twin = |(&at, touched): (&usize, &Touched)| {
        let twin = AtomicU64::new(0);
        // A loom load that is sequentially consistent passes over what is older than a
        // store of that order, if it is one itself.
        twin.store((touched.width.read)(at), SeqCst);
        (at, Rc::new(twin))
    };
    TWINS.set(shared.map(twin).collect());
    TOUCHED.set(touched);
    MODE.set(Mode::Model);
}

/// The threads have ended: words take on their twins' values.
pub(crate) fn write_back() {
    MODE.set(Mode::Off);
    TOUCHED.with_borrow(|touched| {
        for (at, twin) in TWINS.take() {
            (touched[&at].width.write)(at, twin.load(Relaxed));
        }
    });
    drop_twins();
}

/// The execution has ended, well or not.
pub(crate) fn drop_twins() {
    MODE.set(Mode::Off);
    TWINS.take();
    // Still held only if a panic ended it; loom has no use for the guards then.
    mem::forget(HELD.take());
    GATES.take();
    BLOCKS.take();
}

/// Something that loom watches happens; other threads may go on meanwhile.
pub(crate) fn watched<R>(event: impl FnOnce() -> R) -> R {
    let number = NUMBER.get();
    let result = event();
    NUMBER.set(number);
    result
}

/// The twin of the word at `at`, which is about to be read, or written as well;
/// `None` if it has none and the word itself is meant.
pub(crate) fn twin(at: usize, is_written: bool, width: Width) -> Option<Rc<AtomicU64>> {
    // (What destructors do while an execution ends early is not looked at.)
    if MODE.get() == Mode::Off || panicking() {
        return None;
    }
    if is_written {
        burn();
    }
    let number = NUMBER.get();
    let news = TOUCHED.with_borrow_mut(|touched| {
        let entry = touched.entry(at).or_insert(Touched { by: Some(number), is_written, width });
        let before = entry.needs_twin();
        entry.by = entry.by.filter(|&by| by == number);
        entry.is_written |= is_written;
        entry.needs_twin() != before
    });
    if MODE.get() == Mode::Learn {
        return None;
    }
    if news {
        resume_unwind(Box::new(Learned));
    }
    TWINS.with_borrow(|twins| twins.get(&at).cloned())
}

/// A lock with a twin. Outside a model there is one thread, and nothing to wait for.
#[derive(Debug)]
pub struct Gate(u8);

/// The twin of a lock that somebody holds. The guard, which borrows of the twin, is
/// dropped first.
struct Held {
    _guard: MutexGuard<'static, ()>,
    _twin: Rc<Mutex<()>>,
}

impl Gate {
    /// An open one.
    #[allow(clippy::new_without_default, reason = "made in constants")]
    pub const fn new() -> Self {
        Self(0)
    }

    fn at(&self) -> usize {
        (&raw const self.0).addr()
    }

    /// Waits until it is open, and shuts it.
    pub fn shut(&self) {
        if MODE.get() != Mode::Model {
            return;
        }
        let twin = GATES.with_borrow_mut(|gates| Rc::clone(gates.entry(self.at()).or_default()));
        let guard = watched(|| twin.lock().expect("nobody panics behind it"));
        // SAFETY: the twin stays as long as the guard, in `Held`.
        let guard = unsafe { mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard) };
        HELD.with_borrow_mut(|held| held.insert(self.at(), Held { _guard: guard, _twin: twin }));
    }

    /// Opens it.
    pub fn open(&self) {
        let held = HELD.with_borrow_mut(|held| held.remove(&self.at()));
        watched(|| drop(held));
    }
}

/// Writes to the block at `block`, as its owner may: loom complains if another
/// thread did so with nothing in between that orders the two.
pub fn touch(block: *mut u8) {
    if MODE.get() != Mode::Model {
        return;
    }
    let cell = BLOCKS.with_borrow_mut(|blocks| Rc::clone(blocks.entry(block.addr()).or_default()));
    watched(|| cell.with_mut(|_| ()));
}
