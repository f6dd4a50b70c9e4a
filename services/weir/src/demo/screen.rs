//! Where the display goes: refreshed in place on a terminal, plain lines elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::show::Picture;

/// Of so many pictures one is printed where nothing can be refreshed.
const EVERY: usize = 10;

/// A terminal or none.
pub(super) enum Screen {
    Terminal(ProgressBar),
    Lines { drawn: usize },
}

impl Screen {
    pub(super) fn new() -> Self {
        if !std::io::stdout().is_terminal() {
            return Self::Lines { drawn: 0 };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        // A style of nothing but the message has nothing that could be wrong in it.
        Self::Terminal(
            bar.with_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar())),
        )
    }

    /// Shows a picture in place of the one before.
    pub(super) fn draw(&mut self, picture: &Picture) {
        match self {
            Self::Terminal(bar) => bar.set_message(picture.to_string()),
            Self::Lines { drawn } => {
                if drawn.is_multiple_of(EVERY) {
                    println!("{}", picture.line());
                }
                *drawn += 1;
            }
        }
    }

    /// Leaves the last picture where it can be read.
    pub(super) fn finish(self, picture: &Picture) {
        if let Self::Terminal(bar) = &self {
            bar.finish_and_clear();
        }
        println!("{picture}");
    }
}
