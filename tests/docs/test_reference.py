from docs import generate


def test_the_reference_is_what_the_tables_and_structs_say() -> None:
    stale = [name for name, text in generate.pages().items() if (generate.FOLDER / name).read_text() != text]
    assert stale == [], "run: python -m docs.generate"
