//! gcc and g++ on large generated files. The compiler proper and the assembler
//! are children of the command, and counted with it.

use super::{Job, input, scaled, word};
use crate::measured::Program;
use crate::setup::places::Places;
use anyhow::Result;
use std::fmt::Write;

pub(super) fn c(places: &Places, scale: f64) -> Result<Box<dyn Job>> {
    let source = input(places, "large.c", scale, || c_source(scaled(150, scale)))?;
    Ok(Box::new(Program::new("gcc", ["-O2", "-c", &word(&source), "-o", &word(&places.scratch().join("c.o"))])))
}

pub(super) fn cxx(places: &Places, scale: f64) -> Result<Box<dyn Job>> {
    let source = input(places, "large.cc", scale, || cxx_source(scaled(5, scale)))?;
    Ok(Box::new(Program::new("g++", ["-O2", "-c", &word(&source), "-o", &word(&places.scratch().join("cc.o"))])))
}

/// `count` functions with loops, branches and structures of their own.
fn c_source(count: u32) -> String {
    let mut random = fastrand::Rng::with_seed(3);
    let mut text = String::from("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n");
    for n in 0..count {
        let (a, b, c) = (random.u32(1..100), random.u32(1..100), random.u32(2..9));
        _ = writeln!(text, "struct s{n} {{ int id; double weight[{c}]; char name[{a}]; struct s{n} *next; }};");
        _ = writeln!(text, "int f{n}(struct s{n} *list, int limit) {{\n    int sum = {a};");
        _ = writeln!(text, "    for (struct s{n} *at = list; at != NULL && sum < limit; at = at->next) {{");
        _ = writeln!(text, "        switch (at->id % {c}) {{");
        for case in 0..c {
            let factor = random.u32(1..1000);
            _ = writeln!(
                text,
                "        case {case}: sum += (int)(at->weight[{case}] * {factor}) ^ (sum >> {case}); break;"
            );
        }
        _ = writeln!(text, "        }}\n        for (int n = 0; n < {b}; ++n)");
        _ = writeln!(text, "            sum = (sum * {a} + at->name[n % {a}]) % 65537 - (n & {c});\n    }}");
        _ = writeln!(text, "    return strlen(list->name) > {b} ? sum : -sum;\n}}");
    }
    text
}

/// `count` classes, each in containers of its own.
fn cxx_source(count: u32) -> String {
    let mut text = String::from(
        "#include <algorithm>\n#include <map>\n#include <memory>\n#include <string>\n#include <unordered_map>\n#include <vector>\n",
    );
    for n in 0..count {
        _ = writeln!(
            text,
            "struct T{n} {{ int id; std::string name; std::vector<std::shared_ptr<T{n}>> parts;\n\
             \x20   bool operator<(const T{n} &other) const {{ return id + {n} < other.id; }} }};\n\
             int f{n}(std::map<std::string, T{n}> &all, std::vector<T{n}> &list) {{\n\
             \x20   std::unordered_map<int, std::string> names;\n\
             \x20   std::sort(list.begin(), list.end());\n\
             \x20   for (auto &one : list) {{ all[one.name + \"{n}\"] = one; names.emplace(one.id, one.name); }}\n\
             \x20   return std::count_if(list.begin(), list.end(), [&](auto &one) {{ return names.count(one.id + {n}); }});\n}}"
        );
    }
    text
}
