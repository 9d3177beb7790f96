"""The command line."""

import subprocess

import pytest

from tillroll.cli import main


def test_total_adds_up_prices(capsys):
    assert main(["--currency", "EUR", "total", "12.50", "3.99"]) == 0
    assert capsys.readouterr().out == "EUR 16.49\n"


def test_postage_prices_a_packet(capsys):
    assert main(["--currency", "EUR", "postage", "1.5"]) == 0
    assert capsys.readouterr().out == "EUR 3.90\n"


def test_a_wrong_price_is_reported(capsys):
    assert main(["--currency", "EUR", "total", "1.999"]) == 1
    assert capsys.readouterr().err == "tillroll: EUR has 2 decimals, not 3\n"


def test_a_command_is_required(capsys):
    with pytest.raises(SystemExit):
        main([])

    assert "usage: tillroll" in capsys.readouterr().err


def test_the_installed_command_prints_the_total():
    result = subprocess.run(
        ["tillroll", "total", "12.50", "3.99"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == "EUR 16.49\n"
