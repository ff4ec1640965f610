"""Names that a statement reads."""

from __future__ import annotations

import pytest

from cellship.snapshot.names import names_in, names_of_code

READ = {
    "def f(x): return x * K": ((), ("K",)),
    "def f(df): return df.data": ((), ()),
    "def f(x, k=K): return k": (("K",), ()),
    "@deco(A)\ndef f(x): return B": (("A", "deco"), ("B",)),
    "def f(x):\n def g(y):\n  return lambda z: z + K\n return g": ((), ("K",)),
    "def f(x): return [K * i for i in range(x)]": ((), ("K", "range")),
    "class C(Base):\n  v = K\n  def m(self): return L": (("Base", "K"), ("L",)),
    "class C:\n  L = [K * i for i in range(3)]": (("K", "range"), ()),
    "f = lambda x, k=K: x * k + L": (("K",), ("L",)),
    "def f(x):\n  y: Unknown = 1\n  return y": ((), ()),
    "def f(x: T) -> R: return x": (("R", "T"), ()),
    "def f(x):\n  match x:\n    case P(a=v): return v": ((), ("P",)),
    "def f(x):\n  global n\n  n += 1": ((), ()),
    "def f(x):\n  try:\n    return K\n  except NameError:\n    return 1": ((), ("NameError",)),
    "P = namedtuple('P', 'a b')": (("namedtuple",), ()),
}


@pytest.mark.parametrize("source", READ)
def test_names(source: str) -> None:
    found = names_in(source)
    assert (found.at_definition, found.at_call) == READ[source]


def test_postponed_annotations_are_not_needed_to_define() -> None:
    found = names_in("def f(x: T) -> R: return K", postponed=True)
    assert (found.at_definition, found.at_call) == ((), ("K",))
    assert {"T", "R"} <= set(found.optional)


def test_text_is_read_where_names_are_looked_up_by_text() -> None:
    assert "K" in names_in("def f(x): return globals()['K']").optional
    assert {"K", "x"} <= set(names_in("def f(x): return eval('K + x')").optional)
    assert "K" in names_in("def f(x):\n  import __main__\n  return __main__.K").optional
    assert "K" not in names_in("def f(x): return x['K']").optional


def test_a_class_body_that_shadows_a_name_reads_it_first() -> None:
    assert names_in("class C:\n  K = K + 1").shadowed == ("K",)


def test_dotted_reads() -> None:
    assert (
        "xml.dom.minidom.parseString" in names_in("def f(x): xml.dom.minidom.parseString(x)").chains
    )


def test_code_without_source() -> None:
    code = compile("def g(x): return [K for _ in x] and (lambda: L)", "<text>", "exec")
    assert {"K", "L"} <= set(names_of_code(code))
