"""What the notebooks stored is what is registered: each claim once, as it is registered, from these cells."""

import pytest

from ib_utils import atlas, claims, runner

CHAPTERS = runner.chapters()
BUDGET_SECONDS = 90
BUDGET_MIB = 3 * 1024


def test_every_registry_has_its_chapter_and_every_chapter_its_registry():
    assert sorted(atlas.registries()) == CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_claim_is_stored_exactly_once_and_under_its_present_registration(chapter):
    registry = atlas.registry(chapter)
    stored = [(claim["id"], claim["registration"]) for claim in claims.from_notebook(runner.notebook_path(chapter))]
    default = registry.presets["default"]
    assert sorted(stored) == sorted((claim.id, claims.registration(claim, default)) for claim in registry.claims)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_stored_outputs_are_those_of_the_default_parameters_and_of_these_cells(chapter):
    path = runner.notebook_path(chapter)
    assert {claim["preset"] for claim in claims.from_notebook(path)} == {"default"}
    notebook = runner.read(path)
    assert notebook.metadata["ib"]["cells"] == runner.cell_hash(notebook), f"run: ib execute {chapter} --store"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_registered_presets_are_those_of_the_notebook_and_of_the_preset_files(chapter):
    registry = atlas.registry(chapter)
    for preset, fingerprint in registry.presets.items():
        values = runner.resolve(chapter, preset=preset)
        judged = {name: values[name] for name in registry.parameters}
        now = claims.fingerprint(judged)
        assert now == fingerprint, f"in claims/{chapter}.yml, under presets, {preset} has to be {now}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_keeps_to_three_times_its_budget(chapter):
    stored = runner.read(runner.notebook_path(chapter)).metadata["ib"]
    assert stored["seconds"] <= 3 * BUDGET_SECONDS
    assert stored["peak_mib"] <= BUDGET_MIB
