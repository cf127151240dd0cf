//! The standard library lives on HMM: collections in many threads, every alignment, every way to
//! resize; contents are checked all along, and the whole heap at the end.
//!
//! One test, its topics in order: the heap is checked when no other thread is at work.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hint::black_box;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ScopedJoinHandle};

use hmm_global::Hmm;

#[global_allocator]
static ALLOCATOR: Hmm = Hmm::new();

/// A sequence of numbers in no order, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }
}

#[test]
fn the_standard_library_lives_on_hmm() {
    // What the runtime makes at the first thread, it keeps.
    thread::spawn(|| {}).join().expect("an empty thread ends well");
    let before = Hmm::stats().blocks;
    let topics: [(&str, fn()); 8] = [
        ("every layout", every_layout),
        ("little room", little_room),
        ("zeroed", zeroed),
        ("resize ladders", resize_ladders),
        ("collections in one thread", || collections(0)),
        ("collections in many threads", in_many_threads),
        ("blocks that change hands", change_hands),
        ("threads that come and go", come_and_go),
    ];
    for (name, topic) in topics {
        println!("{name}");
        topic();
        Hmm::check().unwrap_or_else(|violation| panic!("after {name}: {violation}"));
    }
    let after = Hmm::stats();
    // Some slack for what the test harness itself keeps.
    assert!(after.blocks <= before + 50, "{before} blocks before, now {after:?}");
    assert!(after.blocks > 0 && after.brk_bytes + after.reserve_bytes > 0, "HMM serves this: {after:?}");
}

/// A pattern that differs from block to block and from byte to byte.
fn pattern(seed: usize, at: usize) -> u8 {
    (seed.wrapping_mul(31) ^ at.wrapping_mul(7) ^ (at >> 8)) as u8
}

/// A block from the allocator itself, with its pattern, which is checked until the end.
struct Block {
    at: *mut u8,
    layout: Layout,
    seed: usize,
}

impl Block {
    fn new(size: usize, align: usize, seed: usize) -> Self {
        let layout = Layout::from_size_align(size, align).expect("a layout");
        // SAFETY: the size is not 0.
        let at = black_box(unsafe { alloc(layout) });
        let mut block = Self { at, layout, seed };
        block.sound();
        block.fill();
        block
    }

    fn sound(&self) {
        assert!(!self.at.is_null(), "{:?} is refused", self.layout);
        assert!(self.at.addr() % self.layout.align() == 0, "{:?} lies at {:?}", self.layout, self.at);
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the block is this long, and filled before it is first read.
        unsafe { std::slice::from_raw_parts_mut(self.at, self.layout.size()) }
    }

    fn fill(&mut self) {
        let seed = self.seed;
        // SAFETY: the block is ours and this long.
        unsafe { self.at.write_bytes(0, self.layout.size()) };
        self.bytes().iter_mut().enumerate().for_each(|(at, byte)| *byte = pattern(seed, at));
    }

    fn holds(&mut self, length: usize) {
        let (seed, layout) = (self.seed, self.layout);
        let wrong = self.bytes()[..length].iter().enumerate().position(|(at, &byte)| byte != pattern(seed, at));
        assert!(wrong.is_none(), "byte {wrong:?} of {layout:?} was changed");
    }

    fn resize(&mut self, size: usize) {
        let old = self.layout.size();
        // SAFETY: a live block with its own layout; the size is not 0.
        self.at = black_box(unsafe { realloc(self.at, self.layout, size) });
        self.layout = Layout::from_size_align(size, self.layout.align()).expect("a layout");
        self.sound();
        self.holds(old.min(size));
        self.fill();
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.holds(self.layout.size());
        // SAFETY: a live block with its own layout, not used again.
        unsafe { dealloc(self.at, self.layout) };
    }
}

/// All alignments up to 2 MiB, with sizes below, at and above them, many live at a time.
fn every_layout() {
    for shift in 0..=21 {
        let align = 1_usize << shift;
        let mut sizes = vec![1, 15, 16, 17, 48, 1000, 5000, 70_000, 140_000];
        sizes.extend([align, align + 1, 2 * align, 3 * align]);
        if shift > 0 {
            sizes.push(align - 1);
        }
        let blocks: Vec<Block> =
            sizes.iter().enumerate().map(|(n, &size)| Block::new(size, align, n + shift)).collect();
        drop(blocks);
    }
}

/// Objects of 8, 24, 40 and 56 bytes take no more, in whatever order they come and go.
fn little_room() {
    fn taken_by<T: Default>() -> usize {
        const BOXES: usize = 10_000;
        let before = Hmm::stats().allocated;
        let mut boxes: Vec<Box<T>> = (0..BOXES).map(|_| Box::default()).collect();
        let mut dice = Dice::new(size_of::<T>() as u64);
        for _ in 0..2 * BOXES {
            boxes[dice.below(BOXES)] = black_box(Box::default());
        }
        let table = boxes.capacity() * size_of::<Box<T>>();
        (Hmm::stats().allocated - before - table).div_ceil(BOXES)
    }
    // Rounded up once more: the test harness may take some at the same time.
    let taken = [taken_by::<[u64; 1]>(), taken_by::<[u64; 3]>(), taken_by::<[u64; 5]>(), taken_by::<[u64; 7]>()];
    for (taken, bytes) in taken.into_iter().zip([8, 24, 40, 56]) {
        assert!((bytes..=bytes + 1).contains(&taken), "{taken} for {bytes}");
    }
}

/// `alloc_zeroed` gives zeros where dirty blocks lay before.
fn zeroed() {
    for align in [1, 16, 64, 4096, 65_536] {
        for size in [1, 24, 100, 256, 4000, 9000, 20_000, 65_536, 65_537, 200_000, 262_144, 300_000, 3 << 20] {
            drop((0..8).map(|n| Block::new(size, align, n)).collect::<Vec<_>>());
            let layout = Layout::from_size_align(size, align).expect("a layout");
            for _ in 0..8 {
                // SAFETY: the size is not 0.
                let at = black_box(unsafe { alloc_zeroed(layout) });
                assert!(!at.is_null() && at.addr() % align == 0);
                // SAFETY: the block is this long.
                let bytes = unsafe { std::slice::from_raw_parts_mut(at, size) };
                assert!(bytes.iter().all(|&byte| byte == 0), "{layout:?} is not zero");
                bytes.fill(0xa5);
                // SAFETY: a live block with its own layout, not used again.
                unsafe { dealloc(at, layout) };
            }
        }
    }
}

/// Blocks grow and shrink by small and large steps; what both sizes share stays.
fn resize_ladders() {
    for align in [1, 8, 32, 512, 8192] {
        let mut block = Block::new(1, align, align);
        for size in (0..40).map(|step| (1.4_f64.powi(step) * 3.0) as usize) {
            block.resize(size);
        }
        for size in (0..40).rev().map(|step| (1.4_f64.powi(step) * 2.0) as usize) {
            block.resize(size);
        }
    }
    // In a crowd, where the neighbours are taken.
    let mut dice = Dice::new(1);
    let mut crowd: Vec<Block> = (0..200).map(|n| Block::new(1 + n * 7, 8, n)).collect();
    for _ in 0..5_000 {
        let which = dice.below(crowd.len());
        let size = 1 + if dice.below(20) == 0 { dice.below(500_000) } else { dice.below(3000) };
        crowd[which].resize(size);
    }
}

/// All the collections, churned against a plain array that knows what has to be in them.
fn collections(seed: u64) {
    const KEYS: usize = 700;
    let mut dice = Dice::new(seed + 1);
    let mut known: Vec<Option<String>> = vec![None; KEYS];
    let mut map: HashMap<usize, String> = HashMap::new();
    let mut tree: BTreeMap<String, Rc<str>> = BTreeMap::new();
    let mut set: HashSet<Box<[u8]>> = HashSet::new();
    let mut heap: BinaryHeap<u32> = BinaryHeap::new();
    let mut queue: VecDeque<Vec<u8>> = VecDeque::new();
    let mut list: LinkedList<String> = LinkedList::new();
    for round in 0..20_000 {
        let key = dice.below(KEYS);
        let name = format!("key {key}");
        if let Some(old) = known[key].take() {
            assert_eq!(map.remove(&key).as_ref(), Some(&old));
            assert_eq!(tree.remove(&name).as_deref(), Some(old.as_str()));
            assert!(set.remove(old.as_bytes()));
        } else {
            let text = format!("{key}:").repeat(1 + dice.below(60));
            map.insert(key, text.clone());
            tree.insert(name, text.as_str().into());
            set.insert(text.as_bytes().into());
            known[key] = Some(text);
        }
        heap.push(dice.below(1_000_000) as u32);
        queue.push_back(vec![round as u8; dice.below(2000)]);
        list.push_back(round.to_string());
        if queue.len() > 100 {
            let front = queue.pop_front().expect("it is long");
            assert!(front.iter().all(|&byte| byte == (round - 100) as u8));
            list.pop_front();
        }
        if heap.len() > 3000 {
            let mut last = u32::MAX;
            while let Some(top) = heap.pop() {
                assert!(top <= last);
                last = top;
            }
            heap.shrink_to_fit();
        }
    }
    assert_eq!(map.len(), known.iter().flatten().count());
    for (key, text) in known.iter().enumerate() {
        assert_eq!(map.get(&key), text.as_ref());
    }
    assert!(list.iter().zip(19_901..).all(|(text, round)| text.parse() == Ok(round - 1)));
}

/// Waits for threads to the end of their last destructor, where their heaps are given up: a scope
/// waits for what they were to do, no longer, and the heap is not quiet then.
fn join(threads: Vec<ScopedJoinHandle<'_, ()>>) {
    for thread in threads {
        thread.join().expect("the thread ends well");
    }
}

fn in_many_threads() {
    thread::scope(|scope| {
        join((0..8).map(|seed| scope.spawn(move || collections(seed))).collect());
    });
}

/// Blocks made by some threads, checked and freed by others, in both directions at once.
fn change_hands() {
    let (sender, receiver) = mpsc::channel::<(usize, Vec<u8>, Arc<String>)>();
    let receiver = Arc::new(Mutex::new(receiver));
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for maker in 0..4 {
            let sender = sender.clone();
            threads.push(scope.spawn(move || {
                let mut dice = Dice::new(maker + 100);
                for n in 0..10_000 {
                    let size = if n % 500 == 0 { 200_000 } else { dice.below(1500) };
                    let bytes = (0..size).map(|at| pattern(n, at)).collect();
                    sender.send((n, bytes, Arc::new(n.to_string()))).expect("somebody listens");
                }
            }));
        }
        drop(sender);
        for _ in 0..3 {
            let receiver = Arc::clone(&receiver);
            threads.push(scope.spawn(move || {
                loop {
                    let next = receiver.lock().expect("nobody panics").recv();
                    let Ok((n, bytes, name)) = next else { break };
                    assert!(bytes.iter().enumerate().all(|(at, &byte)| byte == pattern(n, at)));
                    assert_eq!(*name, n.to_string());
                }
            }));
        }
        join(threads);
    });
}

/// Each thread leaves blocks behind that the next one frees.
fn come_and_go() {
    let mut left: Vec<(usize, String)> = Vec::new();
    for n in 0..200 {
        let old = std::mem::take(&mut left);
        left = thread::spawn(move || {
            assert!(old.iter().all(|(key, text)| *text == format!("{key} of {}", n - 1)));
            (0..50).map(|key| (key, format!("{key} of {n}"))).collect()
        })
        .join()
        .expect("the thread ends well");
    }
    let heaps = Hmm::stats().heaps;
    assert!(heaps < 100, "{heaps} heaps for threads that never ran at once");
}
