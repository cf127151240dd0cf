//! Models of the heap's lock-free protocols, on the real code: every order of events
//! of a few threads, up to some preemptions, under the language's memory model as far
//! as loom knows it. `docs/testing.md` lists what they see.

mod backend;
mod frees;
mod hand_over;
mod life;
mod story;
mod twice;
mod vanish;
mod walk;
mod world;

/// Pages of 512 bytes: bitmaps of one word, two slots of 256 bytes.
type Tiny = story::Story<9, 20>;

/// Pages of 16 KiB: bitmaps of up to 16 words, and slabs of several pages.
type Wide = story::Story<14, 64>;
