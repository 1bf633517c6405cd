"""The page of numbers and tags."""

from __future__ import annotations

from runner.mistakes.plain import Plain, plain_page


def test_the_page_begins_with_the_sentences_and_texts_stay_text() -> None:
    page = plain_page(Plain("Errors of a run", "9 rows of test", ["<b>One</b>."], [], ("what",), []), "0123456789")
    assert (
        'id="short"' in page and "&lt;b&gt;One&lt;/b&gt;." in page and "9 rows of test" in page and "0123456789" in page
    )
