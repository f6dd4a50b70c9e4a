//! Lines over a common axis as a picture in SVG.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

/// Pixels.
const SIZE: (u32, u32) = (960, 540);

/// One named line: points (x, y) from left to right.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// What the axes say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Labels<'a> {
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
}

/// Draws the lines that have points into an SVG file.
pub(super) fn draw(path: &Path, labels: Labels<'_>, lines: &[Line]) -> anyhow::Result<()> {
    let mut svg = String::new();
    render(&mut svg, labels, lines).map_err(|error| anyhow!("draw {}: {error}", path.display()))?;
    std::fs::write(path, svg).map_err(|error| anyhow!("write {}: {error}", path.display()))
}

fn render(svg: &mut String, labels: Labels<'_>, lines: &[Line]) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (x_range, y_range) = ranges(lines);
    let mut chart = ChartBuilder::on(&area)
        .caption(labels.title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(x_range, y_range)?;
    chart.configure_mesh().x_desc(labels.x).y_desc(labels.y).light_line_style(WHITE).draw()?;
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.points.is_empty()) {
        let style = Palette99::pick(number).stroke_width(2);
        let legend = move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], style);
        chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?.label(&line.name).legend(legend);
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    drop(chart);
    Ok(())
}

type Span = std::ops::Range<f64>;

/// What the axes must span, with a little room above and below.
fn ranges(lines: &[Line]) -> (Span, Span) {
    let span = |values: &mut dyn Iterator<Item = f64>, room: f64| {
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return 0.0..1.0;
        }
        let room = if high > low { (high - low) * room } else { 0.5 };
        low - room..high + room
    };
    let points = || lines.iter().flat_map(|line| &line.points);
    (span(&mut points().map(|point| point.0), 0.0), span(&mut points().map(|point| point.1), 0.08))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_every_line_that_has_points_and_the_labels() {
        let line = |name: &str, points: &[(f64, f64)]| Line { name: name.to_owned(), points: points.to_vec() };
        let lines = [line("one", &[(0.0, 1.0), (1.0, 3.0)]), line("none", &[]), line("two", &[(0.0, 2.0)])];
        let mut svg = String::new();
        render(&mut svg, Labels { title: "title", x: "events", y: "RMSE" }, &lines).expect("a picture");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
        for text in ["title", "events", "RMSE", "one", "two"] {
            assert!(svg.contains(text), "no {text} in {svg}");
        }
        assert!(!svg.contains("none\n"));
        let (x, y) = ranges(&lines);
        assert!((x.start, x.end) == (0.0, 1.0) && y.start < 1.0 && y.end > 3.0);
        assert_eq!(ranges(&[]), (0.0..1.0, 0.0..1.0));
    }
}
