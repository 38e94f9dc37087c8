//! `say!`: a line of output as `println!` writes it, which panics where nobody reads any more. This one ends the program.

/// Writes a line, formatted as `println!` has it.
macro_rules! say {
    () => {
        $crate::support::ending::line(format_args!(""))
    };
    ($($text:tt)*) => {
        $crate::support::ending::line(format_args!($($text)*))
    };
}
pub(crate) use say;
