"""What is set up is undone, whichever signal ends an experiment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from experiments.interrupts import SIGNALS, interruptible, shielded


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_interrupts_and_others_leave_the_cleaning_alone(number: signal.Signals) -> None:
    before = [signal.signal(each, signal.SIG_DFL) for each in SIGNALS]
    undone = False
    try:
        with pytest.raises(KeyboardInterrupt), interruptible():
            try:
                os.kill(os.getpid(), number)
            finally:
                for each in SIGNALS:
                    os.kill(os.getpid(), each)
                undone = True
        assert undone
        assert [signal.getsignal(each) for each in SIGNALS] == [signal.SIG_DFL] * len(SIGNALS)
    finally:
        for each, handler in zip(SIGNALS, before, strict=True):
            signal.signal(each, handler)


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_waits_for_what_cleans_up(number: signal.Signals) -> None:
    before = [signal.signal(each, signal.SIG_DFL) for each in SIGNALS]
    undone: list[str] = []
    try:
        with pytest.raises(KeyboardInterrupt), interruptible():
            try:
                undone.append("run")
            finally:
                with shielded():
                    os.kill(os.getpid(), number)
                    undone.append("undone")
                undone.append("not reached")
        assert undone == ["run", "undone"]
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []).isdisjoint(SIGNALS)
    finally:
        for each, handler in zip(SIGNALS, before, strict=True):
            signal.signal(each, handler)


def test_a_signal_that_another_thread_takes_waits_too() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    undone: list[str] = []
    done = threading.Event()
    idle = threading.Thread(target=done.wait)
    idle.start()
    try:
        with pytest.raises(KeyboardInterrupt), interruptible(), shielded():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)
            undone.append("undone")
        assert undone == ["undone"]
    finally:
        done.set()
        idle.join()
        signal.signal(signal.SIGTERM, before)


def test_what_is_started_while_cleaning_up_is_shielded_too() -> None:
    ends_itself = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('done')"]
    with shielded():
        assert subprocess.run(ends_itself, capture_output=True, text=True).stdout == "done\n"
