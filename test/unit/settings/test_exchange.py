import json
import os
import socket
import threading

import pytest

from main.service.model import SourcesChange, Taken
from main.settings import exchange
from main.settings.exchange import ask_reload, read_answers, read_mark, wait_for_answers, write_answer

TAKEN = Taken("m", SourcesChange(("new",), (), ("acme",)), ("logger",), ())


def test_each_reload_that_is_asked_for_has_another_mark_and_names_the_file_that_was_checked(tmp_path):
    assert read_mark(tmp_path) == ""
    marks = [ask_reload(tmp_path, "d1"), ask_reload(tmp_path, "d1")]
    assert marks[0] != marks[1] == read_mark(tmp_path)
    assert json.loads(marks[1])["checked"] == "d1"


def test_what_a_process_answers_is_read_as_it_was_written(tmp_path):
    write_answer(tmp_path, "api", Taken("before"))
    write_answer(tmp_path, "api", TAKEN)
    (answer,) = read_answers(tmp_path)
    assert (answer.name, answer.host, answer.pid, answer.taken) == ("api", socket.gethostname(), os.getpid(), TAKEN)


def test_a_process_that_has_ended_is_forgotten_and_one_of_another_machine_is_not(tmp_path, monkeypatch):
    write_answer(tmp_path, "api", TAKEN)
    monkeypatch.setattr(exchange, "identify", lambda _: "another process of this pid")
    assert read_answers(tmp_path) == []
    assert list((tmp_path / "reload").iterdir()) == []
    write_answer(tmp_path, "api", TAKEN)
    monkeypatch.setattr(exchange.socket, "gethostname", lambda: "elsewhere")
    monkeypatch.setattr(exchange, "identify", lambda _: None)
    assert len(read_answers(tmp_path)) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"taken": 1}', '{"taken": {"mark": "", "change": {"x": []}}}'])
def test_what_is_no_answer_is_passed_over(tmp_path, text):
    write_answer(tmp_path, "api", TAKEN)
    (tmp_path / "reload" / "odd.process.json").write_text(text)
    assert len(read_answers(tmp_path)) == 1


def test_it_waits_for_who_has_not_answered_and_no_longer(tmp_path):
    write_answer(tmp_path, "api", Taken("old"))
    answered, waiting = wait_for_answers(tmp_path, "m", 0.05)
    assert (answered, len(waiting)) == ([], 1)
    threading.Timer(0.2, write_answer, (tmp_path, "api", TAKEN)).start()
    answered, waiting = wait_for_answers(tmp_path, "m", 20)
    assert ([answer.taken for answer in answered], waiting) == ([TAKEN], [])


def test_where_nobody_follows_nobody_is_waited_for(tmp_path):
    assert wait_for_answers(tmp_path, "m", 20) == ([], [])
