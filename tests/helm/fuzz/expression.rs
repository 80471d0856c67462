//! Actions that follow the grammar of templates: each function with arguments of all kinds.

use meshform::helm::func;
use meshform::helm::value::{Kind, Type};

use super::mutate::Dice;

/// Functions that take long by what they are for: keys and slow hashes. They come seldom.
const SLOW: &[&str] = &["bcrypt", "buildCustomCert", "derivePassword", "htpasswd"];

/// Operands of any kind.
#[rustfmt::skip]
const ANYTHING: &[&str] = &[
    ".", "$", ".Values", "$.Values", "$.Files", "$.Chart", "$.Release", "$.Capabilities", "$.Capabilities.APIVersions", "$.Template",
    "$.Subcharts", "nil", "true", "false", "0", "1", "-1", "3", "1.5", "'a'", "\"\"", "\"a\"", "\"a,b,c\"", "(list)", "(list 1 \"a\" nil)",
    "(dict)", "(dict \"a\" 1 \"b\" (dict \"c\" (list 1)))", "(until 5)", "(list (list 1 2) (list 3))", "(tuple 1)", "$.Values.a",
    "$.nothing.at.all", "(now)",
];
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "\"\"", "\"a\"", "\"a,b,c\"", "\"x\"", "`a.b/c`", "\"\\xff\\xfe\"", "\"ÿ日本🎉\"", "\"%d %s %[3]*.[2]*[1]f\"", "\"%99999999d\"", "\"%!\"",
    "\"1.2.3\"", "\">=1.0 <2 || ~3\"", "\"2006-01-02\"", "\"2023-02-29T25:61:61Z\"", "\"-1h\"", "\"300000h\"", "\"(a+)+$\"",
    "\"a{1000}{1000}\"", "\"[\"", "\"$1${2}\"", "\"http://u:p@h:1/p?q#f\"", "\"/a/../b\"", "\"aGVsbG8=\"", "\"{a: [1, {b: c}]}\"",
    "\"[[[[\"", "\"{\\\"a\\\": 1e400}\"", "\"a = [1, 2]\\n[b]\\nc = 1979-05-27\"", "\"{{ . }}\"", "\"{{ tpl . . }}\"",
    "\"{{ include \\\"x\\\" . }}\"", "\"Europe/Berlin\"", "(repeat 3000 \"ab\")", "(repeat 90000 \"[\")", "(repeat 90000 \"{a: \")",
    "(repeat 900 \"(\")", "$.Chart.Name", "($.Values | toYaml)", "($ | toString)",
];
const INTEGERS: &[&str] = &["0", "1", "-1", "3", "80", "1000", "100000000", "9223372036854775807", "-9223372036854775808", "(len \"ab\")"];
const FLOATS: &[&str] = &["0.0", "1.5", "-0.0", "1e308", "5e-324", "3"];
const LISTS: &[&str] = &[
    "(list)",
    "(list 1 \"a\" nil)",
    "(until 5)",
    "(list (list 1 2) (list 3))",
    "(tuple 1)",
    "(list \"b\" \"a\")",
    "(until 70000)",
    "(splitList \",\" \"a,b\")",
];
const MAPS: &[&str] = &[
    "(dict)",
    "(dict \"a\" 1 \"b\" (dict \"c\" (list 1)))",
    "$.Values",
    "$",
    "(dict \"Cert\" \"x\")",
    "(fromYaml \"{a: 1}\")",
    "(deepCopy $.Values)",
];

/// An operand that a parameter of this type takes, but for once in a while.
fn operand(wanted: Type, dice: &mut Dice, depth: usize) -> String {
    if depth > 0 && dice.chance(3) {
        return format!("({})", call(dice, depth - 1));
    }
    let from = match wanted.kind() {
        _ if dice.chance(8) => ANYTHING,
        Kind::String => TEXTS,
        Kind::Int | Kind::Int64 | Kind::Int32 => INTEGERS,
        Kind::Float64 => FLOATS,
        Kind::Slice => LISTS,
        Kind::Map => MAPS,
        _ => dice.pick(&[ANYTHING, ANYTHING, TEXTS, INTEGERS, LISTS, MAPS]),
    };
    (*dice.pick(from)).to_owned()
}

/// A function, with mostly as many arguments as it takes.
fn call(dice: &mut Dice, depth: usize) -> String {
    let names: Vec<&str> = func::names().collect();
    let mut name = *dice.pick(&names);
    while (name.starts_with("gen") || SLOW.contains(&name)) && !dice.chance(30) {
        name = *dice.pick(&names);
    }
    let params = func::find(name).map_or(&[][..], |func| func.params);
    let mut takes = params.to_vec();
    if func::find(name).is_some_and(|func| func.variadic) {
        takes.pop();
        takes.extend(vec![params.last().copied().unwrap_or(Type::Any); dice.below(4)]);
    }
    if dice.chance(20) {
        takes = vec![Type::Any; dice.below(5)];
    }
    let mut text = name.to_owned();
    for wanted in takes {
        text.push(' ');
        text.push_str(&operand(wanted, dice, depth));
    }
    if dice.chance(6) {
        const AFTER: &[&str] = &[
            "toString",
            "toYaml",
            "toJson",
            "quote",
            "len",
            "b64enc",
            "nindent 3",
            "default 1",
            "print",
            "fromYaml",
            "list",
            "upper",
            "not",
        ];
        text = format!("{text} | {}", dice.pick(AFTER));
    }
    text
}

/// An action, or several that hang together.
pub(in crate::helm) fn action(dice: &mut Dice) -> String {
    let expression = call(dice, 3);
    match dice.below(12) {
        0 => format!("{{{{ range $k, $v := {expression} }}}}{{{{ {} }}}}{{{{ end }}}}", call(dice, 2)),
        1 => format!("{{{{ if {expression} }}}}{{{{ {} }}}}{{{{ else }}}}x{{{{ end }}}}", call(dice, 2)),
        2 => format!("{{{{ with {expression} }}}}{{{{ . | {} }}}}{{{{ end }}}}", call(dice, 1)),
        3 => format!("{{{{ define \"x\" }}}}{{{{ {expression} }}}}{{{{ include \"x\" . }}}}{{{{ end }}}}{{{{ include \"x\" . }}}}"),
        4 => format!("{{{{ $x := {expression} }}}}{{{{ $x = {} }}}}{{{{ $x }}}}", call(dice, 2)),
        5 => format!("{{{{ $_ := set $.Values \"a\" ({expression}) }}}}{{{{ toYaml $.Values }}}}"),
        6 => format!("{{{{ tpl ({expression} | toString) . }}}}"),
        7 => format!("{{{{ range until {} }}}}{{{{ {expression} }}}}{{{{ end }}}}", [3, 500, 90_000][dice.below(3)]),
        8 => format!("{{{{ $s := \"{}\" }}}}{{{{ range until {} }}}}{{{{ $s = print $s $s }}}}{{{{ end }}}}", "a", dice.below(40)),
        9 => format!(
            "{{{{ $l := list 1 }}}}{{{{ range until {} }}}}{{{{ $l = concat $l $l }}}}{{{{ end }}}}{{{{ {expression} }}}}",
            dice.below(40)
        ),
        _ => format!("{{{{ {expression} }}}}"),
    }
}
