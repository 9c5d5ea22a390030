//! Errors of the core: what can be wrong with an input, in one small typed enum.

use std::fmt;

use crate::Size;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Reason why an input was refused, in terms of the function's own parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The runs of a mask do not add up to its number of pixels.
    RunsDoNotFill {
        /// Number of the mask.
        mask: usize,
        /// Sum of its runs.
        sum: u64,
        /// Size of the mask.
        size: Size,
    },
    /// A mask has more pixels than can be numbered.
    TooManyPixels {
        /// Size of the mask.
        size: Size,
    },
    /// Offsets into the runs do not ascend from 0 to the number of runs.
    OffsetsDoNotFit,
    /// A byte of an encoded mask lies outside the alphabet.
    NotInAlphabet {
        /// Number of the string.
        string: usize,
        /// Byte offset in the string.
        position: usize,
        /// Value of the byte.
        byte: u8,
    },
    /// An encoded mask ends inside a count.
    TruncatedCount {
        /// Number of the string.
        string: usize,
    },
    /// A count of an encoded mask is longer than seven characters.
    CountTooLong {
        /// Number of the string.
        string: usize,
        /// Byte offset of the count in the string.
        position: usize,
    },
    /// A count of an encoded mask is negative or too large.
    CountOutOfRange {
        /// Number of the string.
        string: usize,
        /// Number of the count.
        count: usize,
        /// Value of the count.
        value: i64,
    },
    /// A coordinate of a polygon is not a number, or too far out.
    CoordinateOutOfRange {
        /// Number of the part.
        part: usize,
    },
    /// A drawn scale makes an image larger than can be placed.
    SideTooLarge {
        /// Number of the source; none is the target.
        source: Option<usize>,
        /// Resized side in pixels.
        side: u64,
    },
    /// A paste takes a source that is not there.
    NoSuchSource {
        /// Number of the source.
        source: usize,
        /// Number of sources.
        sources: usize,
    },
    /// A paste takes a row that its source does not have.
    NoSuchRow {
        /// Number of the row.
        row: usize,
        /// Number of rows of the source.
        rows: usize,
    },
    /// An image, a mask or a canvas has another size than its placement says.
    SizeDiffers {
        /// Size that the placement has.
        expected: Size,
        /// Size of the image, mask or canvas.
        found: Size,
    },
    /// An array has another number of values, or of channels, than belongs to the others.
    LengthDiffers {
        /// Number of values that fits the other arrays.
        expected: usize,
        /// Number of values of the array.
        found: usize,
    },
    /// Memory is not enough for the result.
    OutOfMemory {
        /// Number of bytes that were asked for.
        bytes: usize,
    },
    /// The caller asked that the work be given up.
    Interrupted,
}

impl Error {
    /// Index of the item at fault, in a sequence of masks or strings; what was expected; and what came.
    #[must_use]
    pub fn details(&self) -> (Option<usize>, String, String) {
        let size = |Size { h, w }: Size| format!("({h}, {w})");
        match *self {
            Self::RunsDoNotFill { mask, sum, size: of } => {
                let pixels = of.h as u64 * of.w as u64;
                (Some(mask), format!("counts that sum to {pixels} for size {}", size(of)), sum.to_string())
            }
            Self::TooManyPixels { size: of } => (None, "at most 4294967295 pixels".to_owned(), size(of)),
            Self::OffsetsDoNotFit => {
                (None, "offsets that ascend to the number of counts".to_owned(), "others".to_owned())
            }
            Self::NotInAlphabet { string, position, byte } => {
                let expected = "bytes of the RLE alphabet, 0x30 to 0x6f".to_owned();
                (Some(string), expected, format!("{byte:#04x} at position {position}"))
            }
            Self::TruncatedCount { string } => {
                (Some(string), "whole counts".to_owned(), "a string that ends inside one".to_owned())
            }
            Self::CountTooLong { string, position } => {
                let expected = "counts of at most 7 characters".to_owned();
                (Some(string), expected, format!("a longer one at position {position}"))
            }
            Self::CountOutOfRange { string, count, value } => {
                (Some(string), "counts from 0 to 4294967295".to_owned(), format!("{value} as count {count}"))
            }
            Self::SideTooLarge { side, source } => {
                let of_source = source.map_or(String::new(), |number| format!(" for sources[{number}]"));
                let expected = "a resized side of at most 2147483647 pixels".to_owned();
                (None, expected, format!("{side}{of_source}"))
            }
            Self::NoSuchSource { source, sources } => {
                (None, format!("sources below {sources}"), source.to_string())
            }
            Self::NoSuchRow { row, rows } => (None, format!("rows below {rows}"), row.to_string()),
            Self::SizeDiffers { expected, found } => {
                (None, format!("size {} as the placement has", size(expected)), size(found))
            }
            Self::LengthDiffers { expected, found } => {
                (None, format!("{expected} values"), found.to_string())
            }
            Self::CoordinateOutOfRange { part } => {
                (Some(part), "coordinates within 2147483648".to_owned(), "others".to_owned())
            }
            Self::Interrupted => (None, "to go on".to_owned(), "an interruption".to_owned()),
            Self::OutOfMemory { bytes } => {
                (None, format!("memory for {bytes} bytes"), "not enough".to_owned())
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::OutOfMemory { bytes } = self {
            return write!(f, "not enough memory for {bytes} bytes");
        }
        let (index, expected, got) = self.details();
        index.map_or(Ok(()), |index| write!(f, "item {index}: "))?;
        write!(f, "expected {expected}, got {got}")
    }
}

impl std::error::Error for Error {}
