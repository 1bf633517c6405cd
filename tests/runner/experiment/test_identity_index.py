"""Which identity a command had the last time, known without reading its data."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.identity_index import key, recall, remember, sources
from runner.record.identity import identity_settings


def test_a_changed_file_is_looked_at_again_and_where_it_runs_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\na,1\n")
    words = ["data=files", f"data.path={path}", "data.text=text", "data.label=label", "model=dsn"]
    before = key(resolve(compose(words)))
    assert before == key(resolve(compose([*words, "train.threads=3", "paths.output=elsewhere"])))
    assert before != key(resolve(compose([*words, "seed=5"])))
    path.write_text("text,label\nab,1\n")
    assert before != key(resolve(compose(words)))


def test_another_order_of_the_same_compression_stages_is_another_run() -> None:
    words = ["data=demo", "model=bert-tiny", "compression.distil.teacher=aaaaaaaaaa"]
    first, second = (
        resolve(compose([*words, f"compression=[{order}]"])) for order in ("distil,magnitude", "magnitude,distil")
    )
    assert key(first) != key(second)
    assert identity_settings(first) != identity_settings(second)


RANKED = ["data=files", "task=rank", "data.candidates=c.tsv", "data.queries=q.tsv", "data.corpus=d.tsv", "model=dsn"]


@pytest.mark.parametrize(
    ("words", "name", "other"),
    [
        ([*RANKED, "data.qrels={}"], "r.tsv", "r2.tsv"),
        (["data=files", "data.path=a.csv", "data.text=text", "data.label=label", "model=dsn", "data.calibration={}"],
         "cal.csv", "cal2.csv"),
        (["data=demo", "model=dsn", "compression=[distil]", "compression.distil.teacher=aaaaaaaaaa",
          "compression.distil.unlabelled={}"], "more.txt", "more2.txt"),
    ],
)  # fmt: skip
def test_every_file_that_a_run_reads_counts_by_its_name_and_content(
    words: list[str], name: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("a.csv", "c.tsv", "q.tsv", "d.tsv", name, other):
        (tmp_path / file).write_text("text,label\na,1\n")

    def key_of(file: str) -> str:
        return key(resolve(compose([word.format(file) for word in words])))

    before = key_of(name)
    assert before == key_of(name) != key_of(other)
    (tmp_path / name).write_text("text,label\nab,1\n")
    assert key_of(name) != before


def test_a_dataset_in_a_local_folder_is_read_again_after_a_change(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\na,1\n")
    words = ["data=imdb", f"data.id={tmp_path}", "data.split=train", "model=dsn"]
    before = key(resolve(compose(words)))
    assert before == key(resolve(compose(words)))
    (tmp_path / "train.csv").write_text("text,label\nab,1\n")
    assert before != key(resolve(compose(words)))


def test_a_file_to_select_on_is_not_taken_for_one_to_report(tmp_path: Path) -> None:
    train, held_out = tmp_path / "train.csv", tmp_path / "held_out.csv"
    for file in (train, held_out):
        file.write_text("text,label\na,1\n")
    words = ["data=files", f"data.train_path={train}", "data.text=text", "data.label=label", "model=dsn"]
    keys = {key(resolve(compose([*words, f"data.{name}={held_out}"]))) for name in ("val_path", "test_path")}
    assert len(keys) == 2, "else a sweep takes the one run for the other"


def test_a_sound_that_changed_is_read_again_although_its_table_did_not(tmp_path: Path) -> None:
    table, sound = tmp_path / "clips.csv", tmp_path / "a.wav"
    table.write_text("path,kind\na.wav,low\n" + "a text" * 100 + ",high\n")
    sound.write_bytes(b"before")
    words = ["data=files", f"data.path={table}", "data.audio=path", "data.label=kind", "model=mean-sound"]
    before = key(resolve(compose(words)))
    assert before == key(resolve(compose(words)))
    sound.write_bytes(b"afterwards")
    assert key(resolve(compose(words))) != before
    table.unlink()
    assert key(resolve(compose(words))) != before, "a table that is gone is reported when it is read"


def test_a_teacher_named_by_what_may_mean_another_run_tomorrow_is_looked_up_again(tmp_path: Path) -> None:
    def key_of(teacher: str) -> str:
        taught = ["compression=[distil]", f"compression.distil.teacher={teacher}", f"paths.output={tmp_path}"]
        return key(resolve(compose(["data=demo", "model=dsn", *taught])))

    names = ("latest", "rates", "aaaaaaaaaa")
    before = [key_of(name) for name in names]
    for path in ("bbbbbbbbbb/record.json", "sweeps/rates/sweep.json"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("{}")
    assert [key_of(name) == one for name, one in zip(names, before)] == [False, False, True]


@pytest.mark.parametrize("setting", ["teacher", "augment.model"])
def test_another_commit_of_a_model_on_the_hub_is_looked_up_again(
    setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught = ["compression=[distil]", "compression.distil.teacher=aaaaaaaaaa"]
    words = ["data=demo", "model=dsn", *taught, f"compression.distil.{setting}=someone/sentiment"]
    assert len(keys_by_commit("models--someone--sentiment", words, tmp_path, monkeypatch)) == 2


def test_another_commit_of_unlabelled_texts_on_the_hub_is_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught = ["compression=[distil]", "compression.distil.teacher=aaaaaaaaaa"]
    words = ["data=demo", "model=dsn", *taught, "compression.distil.unlabelled=imdb:unsupervised"]
    assert len(keys_by_commit("datasets--stanfordnlp--imdb", words, tmp_path, monkeypatch)) == 2


@pytest.mark.parametrize("setting", ["model.pretrained", "model.init_from", "compression.distil.augment.model"])
def test_a_file_that_a_run_needed_first_reads_is_read_again_after_a_change(setting: str, tmp_path: Path) -> None:
    texts = tmp_path / "more texts.csv"
    texts.write_text("text\na film\n", encoding="utf-8")
    first = f"task=mlm model=bert-tiny data=files 'data.path={texts}' data.text=text"
    taught = ["compression=[distil]", "compression.distil.teacher=aaaaaaaaaa"] if "distil" in setting else []
    words = ["data=demo", "model=bert-tiny", *taught, f'{setting}="{first}"']
    before = key(resolve(compose(words)))
    assert before == key(resolve(compose(words)))
    texts.write_text("text\nanother film\n", encoding="utf-8")
    assert before != key(resolve(compose(words))), "else a sweep takes the model pretrained on the former texts"


def test_a_teacher_that_reads_another_file_as_its_student_reads_its_own_is_looked_up_again(tmp_path: Path) -> None:
    reviews, others = tmp_path / "reviews.csv", tmp_path / "others.csv"
    for path in (reviews, others):
        path.write_text("text,label\na,1\n", encoding="utf-8")
    teacher = f'compression.distil.teacher="model=bert-mini data.path={others}"'
    data = ["data=files", f"data.path={reviews}", "data.text=text", "data.label=label"]
    words = [*data, "model=dsn", "compression=[distil]", teacher]
    before = key(resolve(compose(words)), words)
    others.write_text("text,label\nab,1\n", encoding="utf-8")
    assert before != key(resolve(compose(words)), words), "else a sweep takes the teacher that learned the former texts"


def test_another_commit_of_the_weights_of_a_teacher_is_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = 'compression.distil.teacher="model=auto model.pretrained=someone/encoder"'
    words = ["data=imdb", "model=dsn", "compression=[distil]", teacher]
    assert len(keys_by_commit("models--someone--encoder", words, tmp_path, monkeypatch)) == 2


def test_a_teacher_named_by_a_long_command_is_no_path() -> None:
    command = " ".join(["model=bert-mini", *(f"optimizer.lr={number}e-3" for number in range(1, 40))])
    taught = ["compression=[distil]", f'compression.distil.teacher="{command}"']
    assert len(command) > 500 and key(resolve(compose(["data=demo", "model=dsn", *taught])))


def test_the_identity_of_a_file_that_was_edited_while_it_was_read_is_not_kept(tmp_path: Path) -> None:
    path, output = tmp_path / "reviews.csv", tmp_path / "outputs"
    path.write_text("text,label\na,1\n")
    settings = resolve(compose(["data=files", f"data.path={path}", "data.text=text", "data.label=label", "model=dsn"]))
    before = sources(settings)
    path.write_text("text,label\nab,1\n")
    remember(output, settings, "aaaaaaaaaa", before)
    assert recall(output, key(settings)) is None, "else a sweep would take the old rows' run for that of the new ones"
    remember(output, settings, "bbbbbbbbbb", sources(settings))
    assert recall(output, key(settings)) == "bbbbbbbbbb"


def test_an_identity_is_kept_although_the_hub_was_asked_for_the_first_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    settings = resolve(compose(["data=imdb", "model=bert-tiny"]))
    before = sources(settings)
    kept = tmp_path / "hub" / f"datasets--{str(settings.data.id).replace('/', '--')}" / "refs" / "main"
    kept.parent.mkdir(parents=True)
    kept.write_text("0" * 40, encoding="ascii")
    remember(tmp_path / "outputs", settings, "aaaaaaaaaa", before)
    assert recall(tmp_path / "outputs", key(settings)) == "aaaaaaaaaa"


def keys_by_commit(name: str, words: list[str], cache: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The keys of a command with two commits of a repository in the hub's cache, one after the other."""
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    kept = cache / name / "refs" / "main"
    kept.parent.mkdir(parents=True)
    keys = set()
    for commit in ("0" * 40, "1" * 40):
        kept.write_text(commit, encoding="ascii")
        keys.add(key(resolve(compose(words))))
    return keys
