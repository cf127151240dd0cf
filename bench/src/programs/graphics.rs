//! Ghostscript: pages of text, paths and gradients, to a device that keeps
//! only the bounding box.

use super::{Job, input, scaled, word};
use crate::measured::Program;
use crate::setup::places::Places;
use anyhow::Result;
use std::fmt::Write;

pub(super) fn prepare(places: &Places, scale: f64) -> Result<Box<dyn Job>> {
    let pages = input(places, "pages.ps", scale, || pages(scaled(120, scale)))?;
    let arguments = ["-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=bbox", "-r150", &word(&pages)];
    Ok(Box::new(Program::new("gs", arguments)))
}

fn pages(count: u32) -> String {
    let mut random = fastrand::Rng::with_seed(9);
    let mut text = String::from("%!PS-Adobe-3.0\n/words 100 dict def\n");
    for page in 0..count {
        _ = writeln!(text, "/Times-Roman findfont {} scalefont setfont", 8 + page % 5);
        for line in 0..60 {
            let words: Vec<String> = (0..12).map(|_| format!("{:x}", random.u32(..))).collect();
            let y = 60 + line * 12;
            _ = writeln!(text, "40 {y} moveto ({}) show", words.join(" "));
            _ = writeln!(text, "words ({}) cvn [ 1 1 60 {{ dup mul }} for ] put", random.u32(..90));
        }
        for _ in 0..150 {
            let mut point = || (random.u32(..595), random.u32(..842));
            let (from, one, two, to) = (point(), point(), point(), point());
            _ = writeln!(
                text,
                "newpath {} {} moveto {} {} {} {} {} {} curveto {} setgray {} stroke",
                from.0,
                from.1,
                one.0,
                one.1,
                two.0,
                two.1,
                to.0,
                to.1,
                f64::from(page % 10) / 10.0,
                if to.0 % 3 == 0 { "closepath gsave fill grestore" } else { "2 setlinewidth" }
            );
        }
        _ = writeln!(text, "/strings [ 0 1 2000 {{ 20 string cvs }} for ] def showpage");
    }
    text
}
