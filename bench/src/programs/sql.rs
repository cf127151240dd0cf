//! SQLite: a shop's orders in memory.

use super::{Job, input, scaled, word};
use crate::measured::Program;
use crate::setup::places::Places;
use anyhow::Result;
use std::fmt::Write;

pub(super) fn prepare(places: &Places, scale: f64) -> Result<Box<dyn Job>> {
    let script = input(places, "orders.sql", scale, || orders(scaled(90_000, scale)))?;
    Ok(Box::new(Program::new(
        "sqlite3",
        ["-batch", "-init", "/dev/null", ":memory:", &format!(".read {}", word(&script))],
    )))
}

/// Statements that insert `count` orders one by one, and ask about them.
fn orders(count: u32) -> String {
    let mut random = fastrand::Rng::with_seed(11);
    let mut sql = String::from(
        "CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, city TEXT);\n\
         CREATE TABLE purchase(id INTEGER PRIMARY KEY, customer INT, item TEXT, price REAL, note TEXT);\n\
         BEGIN;\n",
    );
    let customers = count / 10 + 1;
    for id in 0..customers {
        let city = random.u32(..200);
        _ = writeln!(sql, "INSERT INTO customer VALUES({id}, 'customer number {id}', 'city {city}');");
    }
    for id in 0..count {
        let (customer, item) = (random.u32(..customers), random.u32(..500));
        let (price, note) = (random.u32(1..10_000), "n".repeat(random.usize(..120)));
        _ = writeln!(sql, "INSERT INTO purchase VALUES({id}, {customer}, 'item {item}', {price} / 100.0, '{note}');");
    }
    sql += "COMMIT;\n\
        CREATE INDEX by_customer ON purchase(customer);\n\
        CREATE INDEX by_item ON purchase(item, price);\n\
        SELECT count(*), sum(total) FROM (SELECT city, sum(price) total FROM purchase \
          JOIN customer ON customer.id = purchase.customer GROUP BY city ORDER BY total DESC);\n\
        SELECT count(*) FROM (SELECT item, group_concat(substr(note, 1, 10)) FROM purchase GROUP BY item);\n\
        UPDATE purchase SET note = note || ' paid ' || id WHERE price > 50;\n\
        SELECT count(DISTINCT note || customer), max(length(note)) FROM purchase;\n\
        SELECT count(*) FROM purchase a JOIN purchase b ON a.customer = b.customer AND a.id < b.id;\n\
        DELETE FROM purchase WHERE id % 3 = 0;\n\
        SELECT count(*) FROM (SELECT * FROM purchase ORDER BY note, price);\n";
    sql
}
