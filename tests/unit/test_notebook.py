"""What a notebook shows: the papers of its chapter, and source that still is the program that was tested."""

import argparse
import ast
import inspect
from html.parser import HTMLParser

import pytest
import torch
from IPython.core.formatters import DisplayFormatter

from ib_utils import atlas, notebook
from ib_utils.notebook import _shorten_docstrings, device_line, papers, show_source

CHAPTER = "locality-weight-sharing"


def forms(shown):
    return DisplayFormatter().format(shown)[0]


class Text(HTMLParser):
    """The text and the tags of a piece of HTML; complains about tags that are not closed."""

    def __init__(self, html):
        super().__init__()
        self.text, self.seen, open_tags = "", [], []
        self.open_tags = open_tags
        self.feed(html)
        assert not open_tags

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag != "br":
            self.open_tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_every_paper_of_the_chapter_is_shown_with_its_claim_and_its_address():
    shown = forms(papers(CHAPTER))
    page = Text(shown["text/html"])
    links = {attrs["href"] for tag, attrs in page.seen if tag == "a"}
    entries = [paper for paper in atlas.papers().values() if paper.chapter == CHAPTER]
    assert len(entries) > 0
    for paper in entries:
        for text in (paper.citation, paper.title, paper.claim, paper.venue):
            assert text in page.text
            assert text in shown["text/plain"]
        assert paper.link in links
    assert len([tag for tag, _ in page.seen if tag == "tr"]) == len(entries) + 1


def test_the_table_has_headers_for_screen_readers_and_no_colour_of_its_own():
    page = Text(papers(CHAPTER)._repr_mimebundle_()["text/html"])
    scopes = [attrs["scope"] for tag, attrs in page.seen if tag == "th"]
    assert scopes.count("col") == 2
    assert scopes.count("row") == len(scopes) - 2
    for _, attrs in page.seen:
        style = dict(part.split(":", 1) for part in attrs.get("style", "").split(";") if part)
        assert style.get("color", "inherit") == "inherit"
        assert style.get("background", "transparent") == "transparent"


def test_what_papers_say_is_text_and_never_markup(monkeypatch):
    paper = next(iter(atlas.papers().values()))
    nasty = paper.model_copy(update={"claim": "width < depth & <script>alert(1)</script>", "chapter": CHAPTER})
    monkeypatch.setattr(atlas, "papers", lambda: {"nasty": nasty})
    page = Text(papers(CHAPTER)._repr_mimebundle_()["text/html"])
    assert nasty.claim in page.text
    assert "script" not in [tag for tag, _ in page.seen]


def test_an_unknown_chapter_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=f"chapter='nowhere' must be one of .*{CHAPTER}"):
        papers("nowhere")


def documented(x):
    """First line.

    More, with a fence:
    ```
    code
    ```
    """

    def inner():
        r"""
        Raw \alpha,
        on a second line.
        """

    def bare():
        "one"
        return x  # why

    return inner, bare


class Documented:
    """A class."""

    def method(self): """on the line of its def"""  # fmt: skip


FIRST = '''def documented(x):
    """First line."""

    def inner():
        r"""Raw \\alpha,"""

    def bare():
        "one"
        return x  # why

    return inner, bare'''

NONE = """def documented(x):
    def inner():
        ...

    def bare():
        return x  # why

    return inner, bare"""


@pytest.mark.parametrize(("docstring", "expected"), [(True, FIRST), (False, NONE)])
def test_docstrings_are_cut_and_code_and_comments_stay(docstring, expected):
    shown = forms(show_source(documented, docstring=docstring))
    where = f"{__name__}.documented"
    assert shown["text/markdown"] == f"```python\n{expected}\n```\n\n`{where}`"
    assert shown["text/plain"] == f"{expected}\n\n# {where}"


def test_a_docstring_on_the_line_of_its_def_stays():
    code = forms(show_source(Documented, docstring=False))["text/plain"]
    assert '"""on the line of its def"""' in code
    assert "A class" not in code


def without_docstrings(source):
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Expr(ast.Constant(...))]
    return ast.dump(tree)


@pytest.mark.parametrize("keep_first_line", [True, False])
@pytest.mark.parametrize("module", [notebook, atlas, argparse, inspect, ast])
def test_what_is_shown_is_the_same_program(module, keep_first_line):
    source = inspect.getsource(module)
    assert without_docstrings(_shorten_docstrings(source, keep_first_line=keep_first_line)) == without_docstrings(
        source
    )


def test_methods_are_dedented_and_several_objects_stand_in_one_output():
    markdown = forms(show_source(Text.handle_data, documented))["text/markdown"]
    assert markdown.startswith("```python\ndef handle_data(self, data):\n    self.text += data\n```")
    assert markdown.count("```python") == 2


def test_code_with_a_fence_in_it_gets_a_longer_fence():
    def fenced():
        return "```"

    assert forms(show_source(fenced))["text/markdown"].startswith("````python\n")


@pytest.mark.parametrize("thing", [3, len, ast])
def test_what_has_no_source_is_refused_in_one_line(thing):
    with pytest.raises(TypeError, match="no class or function with Python source") as error:
        show_source(thing)
    assert "\n" not in str(error.value)


def test_the_device_line_names_device_threads_and_version(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert device_line("cpu") == f"cpu, 1 thread, torch {torch.__version__}"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Card {device.index}")
    assert device_line("cuda:1") == f"cuda:1 (Card 1), 4 threads, torch {torch.__version__}"
