//! `say!`: prints a line like `println!`, but ends the program instead of panicking when nobody reads its output.

/// Writes a line, formatted as by `println!`.
macro_rules! say {
    () => {
        $crate::support::ending::line(format_args!(""))
    };
    ($($text:tt)*) => {
        $crate::support::ending::line(format_args!($($text)*))
    };
}
pub(crate) use say;
