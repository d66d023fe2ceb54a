from __future__ import annotations

import pytest

from vedette._inbox.web.editors import EDITORS, Editor, guessed, template_of


@pytest.mark.parametrize(
    ("editor", "link"),
    [
        ("vscode", "vscode://file/srv/app/a%20b.py:7"),
        ("pycharm", "pycharm://open?file=/srv/app/a%20b.py&line=7"),
        ("zed", "zed://file/srv/app/a%20b.py:7"),
        ("sublime", "subl://open?url=file:///srv/app/a%20b.py&line=7"),
        ("idea://open?at={path}#{line}", "idea://open?at=/srv/app/a%20b.py#7"),
        ("none", ""),
    ],
)
def test_a_link_opens_the_line_in_the_chosen_editor(editor, link):
    assert Editor(template_of(editor)).link("/srv/app/a b.py", 7) == link


@pytest.mark.parametrize(
    "option", ["emacs", "javascript:1//{path}", "javascript://{path}", "x://{line}", "data://{path}", "x://a b{path}"]
)
def test_what_is_no_editor_is_refused_with_those_that_there_are(option):
    with pytest.raises(ValueError, match=r"should be vscode, pycharm, zed, sublime, none or like"):
        template_of(option)


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        ("/a?b#c&d", "/a%3Fb%23c%26d"),
        ('/a"><script>', "/a%22%3E%3Cscript%3E"),
        ("/{line}{path}", "/%7Bline%7D%7Bpath%7D"),
        ("/\x1b\n\u202e", "/%1B%0A%E2%80%AE"),
        ("C:\\shop\\a.py", "/C:/shop/a.py"),
    ],
)
def test_a_path_is_never_more_than_text_in_the_link(path, encoded):
    assert Editor("vscode://file{path}:{line}").link(path, None) == f"vscode://file{encoded}:1"


def test_paths_of_a_container_lead_to_files_here():
    editor = Editor(EDITORS["zed"], [("/app", "/home/me/shop"), ("/", "/other")])
    assert editor.link("/app/a.py", 1) == "zed://file/home/me/shop/a.py:1"
    assert editor.link("/apple/a.py", 1) == "zed://file/other/apple/a.py:1"


@pytest.mark.parametrize(
    ("environ", "editor"),
    [
        ({"TERM_PROGRAM": "vscode"}, "vscode"),
        ({"TERM_PROGRAM": "zed"}, "zed"),
        ({"TERMINAL_EMULATOR": "JetBrains-JediTerm"}, "pycharm"),
        ({"TERM_PROGRAM": "Apple_Terminal", "VISUAL": "/usr/local/bin/code --wait"}, "vscode"),
        ({"EDITOR": "subl -w"}, "sublime"),
        ({"EDITOR": "vim"}, "none"),
        ({}, "none"),
    ],
)
def test_the_editor_is_guessed_from_the_terminal(environ, editor):
    assert guessed(environ) == EDITORS[editor]
