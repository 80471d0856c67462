//! Calls of functions and methods, and the checks of their arguments: `evalCall`, `evalArg` and `validateType` of `text/template/exec.go`.

use super::builtin;
use super::exec::{At, Frame, Result};
use super::node::{Expr, ExprKind, NumberNode};
use super::operand::{Held, Operand, nil_of};
use crate::helm::func::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Kind, Map, Method, Type, Value};
use crate::helm::yaml;

impl<'t> Frame<'_, '_, 't> {
    pub(super) fn eval_function(
        &mut self,
        dot: &Operand,
        func: &'static Func,
        node: At<'t>,
        args: &'t [Expr],
        last: Option<Operand>,
    ) -> Result<Operand> {
        let args = args.get(1..).unwrap_or_default();
        self.check_count(func.name, func.params.len(), func.variadic, args.len(), last.is_some())?;
        if func.params.first() == Some(&Type::Reflect) {
            return self.eval_builtin(dot, func, node, args, last);
        }
        let argv = self.eval_args(dot, func.params, func.variadic, args, last)?;
        if func.rolls {
            let printed: Vec<u8> = argv.iter().filter_map(|arg| arg.print().ok()).flat_map(|text| text.as_bytes().to_vec()).collect();
            self.machine.host().draws(func.name, &printed);
        }
        let result = self.machine.texts(&argv).and_then(|()| (func.call)(self.machine, Args(&argv))).and_then(|value| {
            match &value {
                Value::Str(text) => self.machine.spend(text.len())?,
                Value::List(list) => self.machine.spend(list.len().saturating_mul(size_of::<Value>()))?,
                _ => {}
            }
            Ok(value)
        });
        result.map(Operand::direct).map_err(|error| {
            self.at = node;
            self.fail(&format!("error calling {}: ", func.name), &error)
        })
    }

    /// Functions of Go's own that look at `reflect.Value`s.
    fn eval_builtin(
        &mut self,
        dot: &Operand,
        func: &'static Func,
        node: At<'t>,
        args: &'t [Expr],
        last: Option<Operand>,
    ) -> Result<Operand> {
        if matches!(func.name, "and" | "or") {
            let mut value = Operand::INVALID;
            for arg in args {
                value = self.eval_reflect(dot, arg)?;
                if value.value.truth() == (func.name == "or") {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut operands = Vec::with_capacity(args.len() + 1);
        for arg in args {
            operands.push(self.eval_reflect(dot, arg)?);
        }
        operands.extend(last);
        if func.name == "call" {
            let name = args.first().map_or_else(String::new, ToString::to_string);
            return builtin::call(&name, &operands).map_err(|error| {
                self.at = node;
                self.fail("error calling call: ", &error)
            });
        }
        builtin::reflect(func.name, &operands).map_err(|error| {
            self.at = node;
            self.fail(&format!("error calling {}: ", func.name), &error)
        })
    }

    pub(super) fn eval_method(
        &mut self,
        dot: &Operand,
        receiver: &Value,
        method: &Method,
        node: &'t Expr,
        name: &str,
        (args, last): (&'t [Expr], Option<Operand>),
    ) -> Result<Operand> {
        let args = args.get(1..).unwrap_or_default();
        self.check_count(name, method.params.len(), method.variadic, args.len(), last.is_some())?;
        let argv = self.eval_args(dot, method.params, method.variadic, args, last)?;
        let result = match receiver {
            Value::Object(object) => object.call(self.machine, name, &argv),
            Value::Map(map) => call_values(map, name, &argv),
            _ => Err(FuncError::new(format!("no method {name}"))),
        };
        result.map(Operand::direct).map_err(|error| {
            self.at = At::Expr(node);
            self.fail(&format!("error calling {name}: "), &error)
        })
    }

    fn check_count(&self, name: &str, params: usize, variadic: bool, given: usize, has_last: bool) -> Result<()> {
        let count = given + usize::from(has_last);
        if variadic && count < params - 1 {
            return self.error(format!("wrong number of args for {name}: want at least {} got {given}", params - 1));
        }
        if !variadic && count != params {
            return self.error(format!("wrong number of args for {name}: want {params} got {count}"));
        }
        Ok(())
    }

    fn eval_args(&mut self, dot: &Operand, params: &[Type], variadic: bool, args: &'t [Expr], last: Option<Operand>) -> Result<Vec<Value>> {
        let param = |index: usize| {
            let end = if variadic { params.len().saturating_sub(1) } else { params.len() };
            if index < end { params[index] } else { params.last().copied().unwrap_or(Type::Any) }
        };
        let mut argv = Vec::with_capacity(args.len() + 1);
        for (index, arg) in args.iter().enumerate() {
            let value = self.eval_arg(dot, param(index), arg)?;
            argv.push(value);
        }
        if let Some(last) = last {
            argv.push(self.validate_type(last, param(args.len()))?);
        }
        Ok(argv)
    }

    fn eval_arg(&mut self, dot: &Operand, typ: Type, node: &'t Expr) -> Result<Value> {
        self.at = At::Expr(node);
        let operand = match &node.kind {
            ExprKind::Nil => {
                if typ.can_be_nil() {
                    return Ok(nil_of(typ));
                }
                return self.error(format!("cannot assign nil to {}", typ.name()));
            }
            ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::String(..) => return self.eval_literal(typ, node),
            _ => self.eval_operand(dot, node)?,
        };
        self.validate_type(operand, typ)
    }

    /// An operand that is no literal.
    fn eval_operand(&mut self, dot: &Operand, node: &'t Expr) -> Result<Operand> {
        match &node.kind {
            ExprKind::Dot => Ok(dot.clone()),
            ExprKind::Field(names) => self.eval_field_chain(dot, dot.clone(), node, names, std::slice::from_ref(node), None),
            ExprKind::Variable(name, names) => self.eval_variable(dot, node, name, names, &[], None),
            ExprKind::Pipe(pipe) => self.eval_pipeline(dot, pipe),
            ExprKind::Identifier(_, func) => self.eval_function(dot, func, At::Expr(node), &[], None),
            ExprKind::Chain(inner, names) => self.eval_chain(dot, node, inner, names, &[], None),
            _ => Ok(Operand::INVALID),
        }
    }

    /// An argument of a function that takes `reflect.Value`s.
    fn eval_reflect(&mut self, dot: &Operand, node: &'t Expr) -> Result<Operand> {
        self.at = At::Expr(node);
        match &node.kind {
            ExprKind::Nil => Ok(Operand::INVALID),
            ExprKind::Bool(truth) => Ok(Operand::direct(Value::Bool(*truth))),
            ExprKind::Number(number) => self.ideal_constant(number),
            ExprKind::String(_, text) => Ok(Operand::direct(Value::Str(text.clone()))),
            _ => self.eval_operand(dot, node),
        }
    }

    fn eval_literal(&self, typ: Type, node: &Expr) -> Result<Value> {
        let number: Option<&NumberNode> = if let ExprKind::Number(number) = &node.kind { Some(number) } else { None };
        match typ.kind() {
            Kind::Interface => match &node.kind {
                ExprKind::Bool(truth) => Ok(Value::Bool(*truth)),
                ExprKind::String(_, text) => Ok(Value::Str(text.clone())),
                ExprKind::Number(number) => Ok(self.ideal_constant(number)?.value),
                _ => Ok(Value::Nil),
            },
            Kind::Bool => match &node.kind {
                ExprKind::Bool(truth) => Ok(Value::Bool(*truth)),
                _ => self.error(format!("expected bool; found {node}")),
            },
            Kind::String => match &node.kind {
                ExprKind::String(_, text) => Ok(Value::Str(text.clone())),
                _ => self.error(format!("expected string; found {node}")),
            },
            Kind::Float64 => match number.and_then(|number| number.float) {
                Some(float) => Ok(Value::Float(float)),
                None => self.error(format!("expected float; found {node}")),
            },
            Kind::Int | Kind::Int32 | Kind::Int64 => match number.and_then(|number| number.int) {
                Some(int) => Ok(Value::Int(typ, int)),
                None => self.error(format!("expected integer; found {node}")),
            },
            Kind::Uint | Kind::Uint8 | Kind::Uint32 | Kind::Uint64 => match number.and_then(|number| number.uint) {
                Some(uint) => Ok(Value::Uint(typ, uint)),
                None => self.error(format!("expected unsigned integer; found {node}")),
            },
            _ => self.error(format!("can't handle {node} for arg of type {}", typ.name())),
        }
    }

    fn validate_type(&self, operand: Operand, typ: Type) -> Result<Value> {
        if !operand.is_valid() {
            if typ.can_be_nil() {
                return Ok(nil_of(typ));
            }
            return self.error(format!("invalid value; expected {}", typ.name()));
        }
        if typ == Type::Any {
            return Ok(operand.value);
        }
        if operand.is_nil_interface() || !operand.value.typ().assignable_to(typ) {
            let got = if operand.held == Held::Interface && !operand.is_nil_interface() {
                operand.value.type_name()
            } else {
                operand.type_name()
            };
            return self.error(format!("wrong type for value; expected {}; got {got}", typ.name()));
        }
        Ok(operand.value)
    }
}

/// The methods of `chartutil.Values` that templates can call.
pub(super) fn values_method(name: &str) -> Option<Method> {
    let params: &'static [Type] = match name {
        "AsMap" | "YAML" => &[],
        "Table" | "PathValue" => &[Type::String],
        _ => return None,
    };
    Some(Method { params, variadic: false })
}

fn call_values(map: &Map, name: &str, args: &[Value]) -> std::result::Result<Value, FuncError> {
    match name {
        "AsMap" if map.is_empty() => Ok(Value::Map(Map::new())),
        "AsMap" => Ok(Value::Map(map.retyped(Type::Map))),
        "YAML" => Ok(Value::Str(yaml::marshal(&Value::Map(map.clone()))?)),
        _ => {
            let path = Args(args).text(0)?.into_owned();
            if name == "PathValue" && path.is_empty() {
                return Err(FuncError::new("YAML path cannot be empty"));
            }
            let mut names: Vec<&str> = path.split('.').collect();
            let end = if name == "PathValue" { names.pop() } else { None };
            let mut table = map.clone();
            for step in names {
                table = match table.get(step) {
                    Some(Value::Map(inner)) => inner,
                    _ if name == "Table" => return Err(FuncError::new(format!("\"{step}\" is not a table"))),
                    _ => return Err(no_value(end.unwrap_or_default())),
                };
            }
            match end {
                None => Ok(Value::Map(table.retyped(Type::Values))),
                Some(end) => match table.get(end) {
                    None | Some(Value::Map(_)) => Err(no_value(end)),
                    Some(value) => Ok(value),
                },
            }
        }
    }
}

fn no_value(name: &str) -> FuncError {
    FuncError::new(format!("\"{name}\" is not a value"))
}
