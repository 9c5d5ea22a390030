//! Parser at one item of a list, which can be set on to a later place.

use jiter::Jiter;

/// Parser and the text it stands in.
pub(crate) struct ItemText<'a> {
    /// Parser; the place of its start is `base`.
    pub(crate) json: Jiter<'a>,
    text: &'a [u8],
    base: usize,
}

impl<'a> ItemText<'a> {
    /// Parser at the start of a text; `tape` is scratch memory.
    pub(crate) fn new(text: &'a [u8], tape: Vec<u8>) -> Self {
        Self { json: Jiter::with_tape(text, tape).with_allow_inf_nan(), text, base: 0 }
    }

    /// Text from the place of the parser on.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.text[self.place()..]
    }

    /// Number of bytes that the parser has passed.
    pub(crate) fn place(&self) -> usize {
        self.base + self.json.current_index()
    }

    /// Passes over bytes that were read otherwise: a value, so that the parser is between values again.
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.base = self.place() + bytes;
        let tape = std::mem::replace(&mut self.json, Jiter::new(&[])).into_tape();
        self.json = Jiter::with_tape(&self.text[self.base..], tape).with_allow_inf_nan();
    }

    /// Number of bytes passed, and the scratch memory.
    pub(crate) fn end(self) -> (usize, Vec<u8>) {
        (self.place(), self.json.into_tape())
    }
}
