//! The document as a whole: YAML, required keys, references.

use super::Case;

pub(super) const CASES: &[Case] = &[
    (
        "an unknown key",
        r"version: 1
stack: a
namspaces: {}
",
        r"error[stack/unknown-key]: unknown key
  --> s.yaml:3:1
   |  namspaces: {}
   |  ^^^^^^^^^ the stack has no `namspaces`
   = help: did you mean `namespaces`?
",
    ),
    (
        "an unknown output",
        r"version: 1
stack: a
aws: {region: eu-west-1}
cluster: {eks: c}
certificates:
  edge:
    domain: a.example.com
    export: true
    secrets_manager:
      name: x
      description: ${certificates.edge.arn_}
",
        r"error[stack/unknown-ref]: reference to an unknown output
  --> s.yaml:11:22
   |  description: ${certificates.edge.arn_}
   |                 ^^^^^^^^^^^^^^^^^^^^^^ `certificates.edge` offers `arn`, `domain`, `not_after`
   = help: did you mean `arn`?
",
    ),
    (
        "an output where none may stand",
        r"version: 1
stack: a
aws: {region: eu-west-1}
cluster: {eks: c}
certificates:
  edge:
    domain: a.example.com
    export: true
    tags:
      arn: x ${certificates.edge.arn}
",
        r"error[stack/ref-not-here]: output not allowed here
  --> s.yaml:10:16
   |  arn: x ${certificates.edge.arn}
   |           ^^^^^^^^^^^^^^^^^^^^^ `certificates.edge.tags.arn` must be known before anything is made, and takes no such outputs
   = help: those of certificates may stand in `secrets_manager.description`, and all in `annotations` of `load_balancers` and in charts' `values`
",
    ),
    (
        "an unknown variable in the middle of a text",
        r#"version: 1
stack: a
vars: {domain: b}
aws:
  region: eu-west-1
  tags:
    a: "one ${vars.domain} two ${vars.domian}"
"#,
        r#"error[stack/unknown-ref]: reference to an unknown variable
  --> s.yaml:7:34
   |  a: "one ${vars.domain} two ${vars.domian}"
   |                               ^^^^^^^^^^^ the stack declares no variable `domian`
   = help: did you mean `vars.domain`?
"#,
    ),
    (
        "an unknown certificate and an open reference",
        r"version: 1
stack: a
aws: {region: eu-west-1}
cluster: {eks: c}
certificates:
  edge:
    domain: a.example.com
    export: true
    secrets_manager:
      name: x-${vars
      description: ${certificates.egde.arn}
",
        r"error[stack/bad-ref]: bad reference
  --> s.yaml:10:15
   |  name: x-${vars
   |          ^^ this `${` has no `}` on its line
   = help: close it with `}`; a literal `${` is written `$${`

error[stack/unknown-ref]: reference to an unknown certificate
  --> s.yaml:11:22
   |  description: ${certificates.egde.arn}
   |                 ^^^^^^^^^^^^^^^^^^^^^ the stack has no certificate `egde`
   = help: did you mean `edge`?
",
    ),
    (
        "nothing",
        "",
        r"error[stack/empty]: empty stack file
  --> s.yaml:1:1
   = s.yaml has no content
   = help: the shortest stack is `version: 1` and `stack: <name>`
",
    ),
    (
        "a list",
        r"- a
",
        r"error[stack/wrong-type]: value of the wrong type
  --> s.yaml:1:1
   |  - a
   |  ^ a stack file is a map, and this is a list
",
    ),
    (
        "required keys missing",
        r"aws: {profile: x}
certificates: {edge: {export: true}}
",
        r"error[stack/missing-key]: required key missing
  --> s.yaml:1:1
   |  aws: {profile: x}
   |  ^^^ the stack needs `version`
   = help: add `version: 1`

error[stack/missing-key]: required key missing
  --> s.yaml:1:1
   |  aws: {profile: x}
   |  ^^^ the stack needs `stack`
   = help: add `stack: <name>`

error[stack/missing-key]: required key missing
  --> s.yaml:1:1
   |  aws: {profile: x}
   |  ^^^ `aws` needs `region`
   = help: add `region: eu-west-1`, or the region of yours

error[stack/missing-key]: required key missing
  --> s.yaml:2:16
   |  certificates: {edge: {export: true}}
   |                 ^^^^ `certificates.edge` needs `domain`
   = help: add `domain: <name>`
",
    ),
    (
        "a newer version and a bad name",
        r"version: 2
stack: Shop_Prod
",
        r"error[stack/version]: stack version not supported
  --> s.yaml:1:10
   |  version: 2
   |           ^ this meshform reads version 1, and the stack says `2`
   = help: use a newer meshform

error[stack/name]: bad stack name
  --> s.yaml:2:8
   |  stack: Shop_Prod
   |         ^^^^^^^^^ `Shop_Prod` holds `S`; lower-case letters, digits and `-` are allowed
   = help: the name stands in tags and labels: up to 63 lower-case letters, digits and `-`, such as `shop-prod`
",
    ),
    (
        "sections of later versions",
        r"version: 1
stack: a
routes: {app: {}}
state: {s3: {bucket: b}}
",
        r"error[stack/not-yet]: section not handled yet
  --> s.yaml:3:1
   |  routes: {app: {}}
   |  ^^^^^^ this version does not handle `routes`
   = help: remove it, or use a later version

error[stack/not-yet]: section not handled yet
  --> s.yaml:4:9
   |  state: {s3: {bucket: b}}
   |          ^^ this version does not keep state in `s3`
   = help: use `local: <folder>`
",
    ),
    (
        "a key given twice",
        r"version: 1
stack: a
vars: {}
vars: {}
",
        r"error[yaml/duplicate-key]: key given twice
  --> s.yaml:4:1
   |  vars: {}
   |  ^^^^ `vars` is given a second time
  ::: s.yaml:3:1
   |  vars: {}
   |  ---- first given here
   = help: keep one of the two
",
    ),
];
