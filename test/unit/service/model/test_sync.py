from datetime import timedelta

from test.fakes import NOW, make_report


def test_a_crawls_duration_is_in_whole_milliseconds():
    report = make_report(started_at=NOW, finished_at=NOW + timedelta(microseconds=1_234_567))
    assert report.duration_ms == 1235
