//! How figures grow, drawn.

use std::path::Path;

use afresh_measure::Series;
use plotters::prelude::*;

use crate::figures::Figures;

/// What is drawn: the section, the file, the axis.
const PLOTS: [(&str, &str, &str); 4] = [
    ("growth: keys", "keys.svg", "keys"),
    ("growth: tags", "tags.svg", "tags"),
    ("growth: tasks", "tasks.svg", "tasks"),
    (
        "invalidating a tag",
        "invalidating.svg",
        "entries with the tag",
    ),
];

/// Draws each that was measured.
pub(crate) fn draw(figures: &Figures, folder: &Path) -> Result<(), String> {
    for (section, file, axis) in PLOTS {
        if figures.of(section).next().is_some() {
            let path = folder.join(file);
            plot(figures, section, axis, &path).map_err(|error| format!("{file}: {error}"))?;
        }
    }
    Ok(())
}

/// The files that were drawn, with what they show.
pub(crate) fn drawn(figures: &Figures, section: &str) -> Option<&'static str> {
    figures.of(section).next()?;
    let plot = PLOTS.iter().find(|plot| plot.0 == section)?;
    Some(plot.1)
}

fn points(series: &Series) -> Option<(f64, f64)> {
    Some((series.point.x?, series.spread()?.median))
}

fn plot(
    figures: &Figures,
    section: &str,
    axis: &str,
    path: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let (_, subjects) = figures.table(section);
    let all: Vec<(f64, f64)> = figures.of(section).filter_map(points).collect();
    let unit = figures
        .of(section)
        .next()
        .map_or("", |series| &series.point.unit);
    let most = |of: fn(&(f64, f64)) -> f64| all.iter().map(of).fold(0.0, f64::max);
    let (right, top) = (most(|point| point.0), most(|point| point.1) * 1.1);
    let left = all
        .iter()
        .map(|point| point.0)
        .fold(f64::INFINITY, f64::min);
    let area = SVGBackend::new(path, (720, 360)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area);
    chart.margin(16).x_label_area_size(40).y_label_area_size(60);
    let lines: Vec<(&str, Vec<(f64, f64)>)> = subjects
        .into_iter()
        .map(|subject| {
            let own = figures
                .of(section)
                .filter(|series| series.subject == subject);
            (subject, own.filter_map(points).collect())
        })
        .collect();
    // From nothing, it cannot be logarithmic.
    macro_rules! drawn {
        ($range:expr) => {{
            let mut chart = chart.build_cartesian_2d($range, 0.0..top)?;
            let mut mesh = chart.configure_mesh();
            mesh.x_desc(axis)
                .y_desc(unit)
                .light_line_style(WHITE)
                .draw()?;
            for (at, (subject, points)) in lines.iter().enumerate() {
                let colour = Palette99::pick(at).to_rgba();
                let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
                chart
                    .draw_series(line.point_size(3))?
                    .label(*subject)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour));
            }
            let mut legend = chart.configure_series_labels();
            legend.border_style(BLACK).background_style(WHITE).draw()?;
        }};
    }
    if left > 0.0 && right / left > 100.0 {
        drawn!((left..right).log_scale());
    } else {
        drawn!(left..right);
    }
    area.present()?;
    Ok(())
}
