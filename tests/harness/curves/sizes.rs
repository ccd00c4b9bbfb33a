//! Larger and larger files, one after the other: from where on is it the bytes that cost?

use std::io;
use std::time::Instant;

use client::client::{Client, PutOptions};

use super::Survey;
use super::growth::{Growth, Point, Series};
use super::rounds::medians;
use crate::stress::figures::megabytes;

/// How many bytes are sent of each size, in as many files as that takes: small ones are soon gone.
const TOTAL_BYTES: u64 = 16 * 1024 * 1024;

/// But not more files than this.
const FILES_MAX: u64 = 100;

/// From here on the bytes cost more than asking for them.
const BULK: u64 = 1024 * 1024;

pub(super) fn measure(survey: Survey<'_>) -> io::Result<Growth> {
    let Survey { ground, scale, interrupt } = survey;
    let site = ground.serve(1, &[])?;
    let mut client = Client::connect(&site.address().to_string()).map_err(io::Error::other)?;
    let rows = medians(&scale.sizes, scale.repeats, interrupt, |size| {
        let folder = site.folder("bulk")?;
        let times = there_and_back(&mut client, size).map_err(io::Error::other)?;
        drop(folder);
        Ok(times)
    })?;
    let speed = |ms: f64, size: u64| megabytes(size) / (ms / 1e3);
    let series = |name, unit, of: &dyn Fn(&[f64; 2], u64) -> f64| Series {
        name,
        unit,
        values: rows.iter().zip(&scale.sizes).map(|(row, size)| of(row, *size)).collect(),
        from: BULK,
    };
    Ok(Growth {
        name: "sizes",
        title: "Larger files, put and fetched by one client, one after the other",
        grows: "size",
        points: scale.sizes.iter().copied().map(Point::size).collect(),
        series: vec![
            series("put", "ms", &|[put, _], _| *put),
            series("get", "ms", &|[_, get], _| *get),
            series("put", "MB/s", &|[put, _], size| speed(*put, size)),
            series("get", "MB/s", &|[_, get], size| speed(*get, size)),
        ],
        notes: vec!["each put asks first, and each get verifies the checksum".into()],
        wrong: Vec::new(),
    })
}

/// How long a put and a get of so many bytes take, in milliseconds each.
fn there_and_back(client: &mut Client, size: u64) -> Result<[f64; 2], client::error::Error> {
    let files = (TOTAL_BYTES / size).clamp(1, FILES_MAX);
    let path = |file| format!("/library/bulk/{file}");
    let begun = Instant::now();
    for file in 0..files {
        // The first `size` bytes of these without end; making them costs next to nothing.
        client.put(&path(file), size, &mut io::repeat(b'f'), PutOptions::default())?;
    }
    let (put, begun) = (begun.elapsed(), Instant::now());
    for file in 0..files {
        client.get(&path(file), &mut io::sink())?;
    }
    let get = begun.elapsed();
    let each = u32::try_from(files).map_or(1.0, f64::from);
    Ok([put, get].map(|time| time.as_secs_f64() * 1e3 / each))
}
