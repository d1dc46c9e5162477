"""The reader of the README's blocks can see a difference: otherwise its test would prove nothing."""

import pytest

from tests.docs.blocks import Shown, differences, shell_blocks

MARKDOWN = """# Title
```sh
echo 1
```
It says:
```text
1
```
```sh
echo 2
```

## Another
```json
{"not": "an answer"}
```
```python
print()
```
"""


def test_blocks_are_found_with_the_answers_below_them() -> None:
    assert shell_blocks(MARKDOWN) == [Shown(2, "echo 1\n", "1\n", "text"), Shown(9, "echo 2\n")]


@pytest.mark.parametrize(
    ("shown", "real", "found"),
    [
        ('{"a": [1, "x"]}', '{"a":[1,"x"]}', []),
        ('{"a": "v1…", "b": "…"}', '{"a":"v1-77","b":{"c":[]}}', []),
        ('{"a": "v1…"}', '{"a":"v2"}', ["/a: 'v2'"]),
        ('{"a": 1}', '{"a":1,"b":2}', [": fields ['b']"]),
        ('{"a": [1]}', '{"a":[1,2]}', ["/a: [1] is shown, [1, 2] is real"]),
        ('{"a": [1, 2]}', '{"a":[1,3]}', ["/a/1: 2 is shown, 3 is real"]),
    ],
)
def test_a_json_answer_is_compared_as_json(shown: str, real: str, found: list[str]) -> None:
    assert differences(Shown(1, "", shown, "json"), real) == found


@pytest.mark.parametrize(
    ("shown", "real", "found"),
    [
        ("a\nb …\n", "\ufeffa\r\nb 7\r\n", []),
        ("a\n", "b\n", ["'a' is shown, 'b' is real"]),
        ("a\n", "a\nb\n", ["2 lines, 1 are shown: a\nb\n"]),
    ],
)
def test_a_text_answer_is_compared_line_by_line(shown: str, real: str, found: list[str]) -> None:
    assert differences(Shown(1, "", shown, "text"), real) == found


def test_what_shows_no_answer_is_not_compared() -> None:
    assert differences(Shown(1, "true\n"), "anything") == []
