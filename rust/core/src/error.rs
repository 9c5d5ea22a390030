//! What can be wrong with an input, in one small typed enum.

use std::fmt;

use crate::Size;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an input was refused. The messages are sentences for the user; they name the argument.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The runs of a mask do not add up to its number of pixels.
    RunsDoNotFill {
        /// Name of the argument that holds the mask.
        argument: &'static str,
        /// Number of the mask.
        mask: usize,
        /// What the runs add up to.
        sum: u64,
        /// Size of the mask.
        size: Size,
    },
    /// A mask has more pixels than can be numbered.
    TooManyPixels {
        /// Size of the mask.
        size: Size,
    },
    /// Offsets into the runs are not ascending from 0 to the number of runs.
    OffsetsDoNotFit,
    /// A byte of an encoded mask lies outside the alphabet.
    NotInAlphabet {
        /// Number of the string.
        string: usize,
        /// Where in the string.
        position: usize,
        /// The byte.
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
        /// Where the count starts.
        position: usize,
    },
    /// A count of an encoded mask is negative or too large.
    CountOutOfRange {
        /// Number of the string.
        string: usize,
        /// Number of the count.
        count: usize,
        /// Its value.
        value: i64,
    },
    /// A plan and the samples it is applied to do not fit each other.
    PlanDoesNotFit,
    /// A drawn scale makes an image larger than can be placed.
    SideTooLarge {
        /// Name of the argument that the range of scales is from.
        argument: &'static str,
        /// The resized side.
        side: u64,
    },
    /// There is not enough memory for the result.
    OutOfMemory {
        /// How many bytes were asked for.
        bytes: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunsDoNotFill { argument, mask, sum, size: Size { h, w } } => write!(
                f,
                "{argument}[{mask}]: counts sum to {sum}, expected {} for size ({h}, {w})",
                *h as u64 * *w as u64
            ),
            Self::TooManyPixels { size: Size { h, w } } => {
                write!(f, "size: ({h}, {w}) has more than 4294967295 pixels")
            }
            Self::OffsetsDoNotFit => {
                f.write_str("offsets: expected ascending numbers from 0 to the number of counts")
            }
            Self::NotInAlphabet { string, position, byte } => write!(
                f,
                "strings[{string}]: byte {byte:#04x} at position {position} is not in the RLE alphabet, expected 0x30 to 0x6f"
            ),
            Self::TruncatedCount { string } => write!(f, "strings[{string}]: ends inside a count"),
            Self::CountTooLong { string, position } => {
                write!(f, "strings[{string}]: the count at position {position} is longer than 7 characters")
            }
            Self::CountOutOfRange { string, count, value } => {
                write!(f, "strings[{string}]: count {count} is {value}, expected 0 to 4294967295")
            }
            Self::PlanDoesNotFit => {
                f.write_str("plan: expected samples of the sizes it was drawn for, got others")
            }
            Self::SideTooLarge { argument, side } => {
                write!(f, "{argument}: expected a resized side of at most 2147483647 pixels, got {side}")
            }
            Self::OutOfMemory { bytes } => write!(f, "not enough memory for {bytes} bytes"),
        }
    }
}

impl std::error::Error for Error {}
