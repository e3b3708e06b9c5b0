//! The blocks of a page with commands, and the words of the commands.

/// A fenced block of `sh` or `console`.
pub(super) struct Block {
    /// The line of the page at which it begins.
    pub(super) line: usize,
    /// Whether it is cut from a file.
    pub(super) is_cut: bool,
    is_console: bool,
    text: String,
}

impl Block {
    /// What a reader types: of a console only what stands behind the prompt.
    pub(super) fn typed(&self) -> String {
        if !self.is_console {
            return self.text.clone();
        }
        let mut typed = String::new();
        let mut goes_on = false;
        for line in self.text.lines() {
            let command = line.strip_prefix("$ ").or(goes_on.then_some(line));
            goes_on = command.is_some_and(|command| command.ends_with('\\'));
            if let Some(command) = command {
                typed.push_str(command);
                typed.push('\n');
            }
        }
        typed
    }
}

/// Returns the blocks of a page, those in lists too.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    let mut before = "";
    while let Some((number, line)) = lines.next() {
        let Some((indent, language)) = line.split_once("```") else {
            before = line;
            continue;
        };
        // Within a list its first line has the mark of the list before it.
        let indent = indent.chars().count();
        let inside =
            lines.by_ref().map(|(_, line)| line).take_while(|line| !line.trim().starts_with("```"));
        let cut = |line: &str| line.chars().skip(indent).collect::<String>() + "\n";
        let text = inside.map(cut).collect::<String>();
        if matches!(language, "sh" | "console") {
            let is_cut = before.starts_with("<!-- from ");
            let is_console = language == "console";
            found.push(Block { line: number + 1, is_cut, is_console, text });
        }
        before = "";
    }
    found
}

/// Returns the spans of code, outside blocks, that are commands of the program.
pub(super) fn spans(text: &str) -> Vec<String> {
    let mut outside = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        let is_fence = line.contains("```");
        is_inside ^= is_fence;
        if !is_fence && !is_inside {
            outside.push_str(line);
            outside.push('\n');
        }
    }
    let spans = outside.split('`').skip(1).step_by(2);
    let spans = spans.filter(|span| span.starts_with("brama ") && !span.contains('…'));
    spans.map(|span| span.replace('\n', " ")).collect()
}

/// Returns the words of each command of the program in what is typed, without the program.
pub(super) fn commands(typed: &str) -> Vec<Vec<String>> {
    let joined = typed.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in joined.lines() {
        for words in Lexer::words(line) {
            found.extend(of_the_program(&words));
        }
    }
    found
}

/// The words behind the program, where a command calls it: by itself, or by another program.
fn of_the_program(words: &[String]) -> Option<Vec<String>> {
    let is_assignment = |word: &&String| {
        word.split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    let words = &words[words.iter().take_while(is_assignment).count()..];
    if let [cargo, run, dashes, rest @ ..] = words
        && cargo == "cargo"
        && run == "run"
        && dashes == "--"
    {
        return Some(rest.to_vec());
    }
    let is_program = |at: &usize| {
        let is_called = *at == 0 || words[at - 1] == "--";
        is_called && (words[*at] == "brama" || words[*at].ends_with("/brama"))
    };
    let at = (0..words.len()).find(is_program)?;
    // What an example leaves out.
    let is_left_out = |word: &&String| word.as_str() == "...";
    Some(words[at + 1..].iter().filter(|word| !is_left_out(word)).cloned().collect())
}

/// As much of the language of a shell as the pages need.
#[derive(Default)]
struct Lexer {
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: Option<String>,
}

impl Lexer {
    /// Returns the commands of a line, those in `$(…)` too, each as its words.
    fn words(line: &str) -> Vec<Vec<String>> {
        let mut lexer = Self::default();
        let mut rest = line.chars().peekable();
        let mut quote = None;
        while let Some(c) = rest.next() {
            match (c, quote) {
                ('$', None | Some('"')) if rest.peek() == Some(&'(') => {
                    let mut depth = 0;
                    let mut inner = String::new();
                    for c in rest.by_ref() {
                        depth += i32::from(c == '(') - i32::from(c == ')');
                        if depth == 0 {
                            break;
                        }
                        inner.push(c);
                    }
                    lexer.commands.extend(Self::words(&inner[1..]));
                    lexer.push('?');
                }
                (c, Some(open)) if c == open => quote = None,
                (c, Some(_)) => lexer.push(c),
                ('"' | '\'', None) => {
                    quote = Some(c);
                    lexer.word.get_or_insert_default();
                }
                ('#', None) if lexer.word.is_none() => break,
                ('|' | ';' | '&' | '(' | ')', None) => lexer.end_command(),
                ('>' | '<', None) => {
                    lexer.end_word();
                    lexer.words.push(String::from(">"));
                }
                (c, None) if c.is_whitespace() => lexer.end_word(),
                (c, None) => lexer.push(c),
            }
        }
        lexer.end_command();
        lexer.commands
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self) {
        self.end_word();
        let mut words = std::mem::take(&mut self.words);
        // A file that is read or written is no word of the command.
        while let Some(at) = words.iter().position(|word| word == ">") {
            words.drain(at..(at + 2).min(words.len()));
        }
        if !words.is_empty() {
            self.commands.push(words);
        }
    }
}
