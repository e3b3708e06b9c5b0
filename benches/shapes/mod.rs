//! A search for the shape of message that costs most: what is long times how often it is used.
//!
//! A shape is a row of numbers. The search tries some at random, then changes one number at a time
//! of the worst that it knows. It begins with a fixed seed, so it tries the same each time.

use std::time::Duration;

/// What a message is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape([usize; 9]);

const LETTERS: [&str; 8] = ["x", "\"", ">", "&amp;", "&#13;", "\t", "\n", "ż"];
/// What each number may be.
const CHOICES: [&[usize]; 9] = [
    // The letter that what is long is made of.
    &[0, 1, 2, 3, 4, 5, 6, 7],
    // How long each namespace name is.
    &[8, 60, 256, 4_000, 200_000],
    // How many prefixes the outermost element declares.
    &[0, 1, 4, 16, 26],
    // How many of them the signature lists.
    &[0, 1, 4, 16, 32],
    // How many elements use them.
    &[0, 1, 30, 300, 900, 990],
    // How many attributes each of those elements has.
    &[0, 1, 3, 31],
    // How many elements there are around them.
    &[0, 1, 10, 25],
    // What takes the rest of the room: text, one attribute, an attribute in each element, the name
    // of each element, the name of each attribute.
    &[0, 1, 2, 3, 4],
    // Whether each of those elements declares its prefix anew.
    &[0, 1],
];

impl Shape {
    /// Writes a message of at most `size` bytes that begins with `open(declarations, list)`.
    pub(crate) fn write(
        self,
        size: usize,
        open: impl Fn(&str, &str) -> String,
        close: &str,
    ) -> Vec<u8> {
        let [letter, name, prefixes, listed, uses, attributes, depth, rest, anew] = self.0;
        let letter = LETTERS[letter];
        let uri = |n: usize| {
            let long = if letter.len() == 1 && letter != "\"" { letter } else { "u" };
            format!("urn:{n}:{}", long.repeat(name))
        };
        let declarations: String =
            (0..prefixes).map(|n| format!(" xmlns:p{n}='{}'", uri(n))).collect();
        let list: Vec<String> = (0..listed).map(|n| format!("p{n}")).collect();
        let mut text = open(&declarations, &list.join(" "));
        text += &"<d>".repeat(depth);
        let end = format!("{}{close}", "</d>".repeat(depth));
        let room = size.saturating_sub(text.len() + end.len() + 64);
        let each = room / (uses + 1);
        let long = |bytes: usize, of: &str| of.repeat(bytes / of.len());
        for n in 0..uses {
            let prefix = if prefixes == 0 { String::new() } else { format!("p{}:", n % prefixes) };
            let name = if rest == 3 { long(each / 3, "n") } else { "e".to_owned() };
            let mut element = format!("<{prefix}{name}");
            if anew == 1 && prefixes > 0 {
                element += &format!(" xmlns:p{}='{}'", n % prefixes, uri(n + 100));
            }
            for a in 0..attributes {
                let name =
                    if rest == 4 { long(each / attributes / 2, "a") } else { "a".to_owned() };
                element += &format!(" {prefix}{name}{}=''", attributes - a);
            }
            if rest == 2 {
                element +=
                    &format!(" v='{}'", long(each.saturating_sub(element.len() + 12), letter));
            }
            element += "/>";
            if text.len() + element.len() + end.len() > size {
                break;
            }
            text += &element;
        }
        let room = size.saturating_sub(text.len() + end.len() + 16);
        match rest {
            0 => text += &long(room, letter),
            1 => text += &format!("<v v='{}'/>", long(room, letter)),
            _ => {}
        }
        (text + &end).into_bytes()
    }
}

/// Tries so many shapes, and returns the worst with its cost.
pub(crate) fn search(tries: usize, cost: impl Fn(Shape) -> Duration) -> (Shape, Duration) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut worst = (Shape([0; 9]), Duration::ZERO);
    for number in 0..tries {
        let mut shape = worst.0;
        if number < tries / 2 {
            for (place, choices) in shape.0.iter_mut().zip(CHOICES) {
                *place = random.choice(choices);
            }
        } else {
            let place = random.below(CHOICES.len());
            shape.0[place] = random.choice(CHOICES[place]);
        }
        let took = cost(shape);
        if took > worst.1 {
            worst = (shape, took);
        }
    }
    worst
}

/// Numbers that look random (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap_or_default()
    }

    fn choice(&mut self, of: &[usize]) -> usize {
        of[self.below(of.len())]
    }
}
