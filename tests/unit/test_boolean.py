"""Boolean functions, and the size of their formulas, against brute force and known theorems."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.data import boolean_cube, boolean_functions
from ib_utils.measures import formula_size

TABLES = boolean_functions(4)
SIZES = {gates: formula_size(4, gates) for gates in (("and",), ("and", "xor"))}
functions = st.integers(0, len(TABLES) - 1)


def number(table):
    return int("".join(str(int(bit)) for bit in table), 2)


def test_every_function_is_there_once():
    assert TABLES.shape == (2**16, 16)
    assert len(np.unique(np.packbits(TABLES, axis=1), axis=0)) == 2**16


def test_the_cube_counts_in_binary():
    weights = 2.0 ** np.arange(4)[::-1]
    assert (boolean_cube(4).numpy() @ weights).tolist() == list(range(16))


@pytest.mark.parametrize("n_inputs", [2, 3, 4])
def test_parity_of_n_inputs_takes_n_leaves_with_exclusive_or(n_inputs):
    parity = number(boolean_cube(n_inputs).sum(1).numpy() % 2)
    assert formula_size(n_inputs, ("and", "xor"))[parity] == n_inputs


@pytest.mark.parametrize(("n_inputs", "leaves"), [(2, 4), (4, 16)])
def test_parity_takes_the_square_without_it(n_inputs, leaves):  # Khrapchenko's theorem
    assert formula_size(n_inputs)[number(boolean_cube(n_inputs).sum(1).numpy() % 2)] == leaves


@given(functions, st.sampled_from(list(SIZES)), st.permutations(range(4)), st.integers(0, 15))
def test_size_ignores_names_and_negations_of_inputs_and_of_the_output(function, gates, order, flips):
    points = boolean_cube(4).numpy().astype(int)
    moved = np.abs(points[:, list(order)] - (flips >> np.arange(4) & 1)) @ (8, 4, 2, 1)
    table = TABLES[function]
    assert SIZES[gates][number(table[moved])] == SIZES[gates][function]
    assert SIZES[gates][number(~table)] == SIZES[gates][function]


def test_a_function_needs_a_leaf_for_each_input_that_it_depends_on():
    cube = TABLES.reshape(-1, 2, 2, 2, 2)
    depends = sum((cube != np.flip(cube, axis)).any((1, 2, 3, 4)).astype(int) for axis in range(1, 5))
    assert (SIZES["and",] >= depends).all()
    assert (SIZES["and", "xor"] <= SIZES["and",]).all()


def test_read_once_formulas_take_exactly_their_leaves():
    x = boolean_cube(4).numpy().T.astype(bool)
    for a, b, c, d in permutations(range(4)):
        assert SIZES["and",][number(x[a] & (x[b] | ~x[c]))] == 3
        assert SIZES["and",][number((x[a] | x[b]) & (x[c] | x[d]))] == 4


def test_what_cannot_be_enumerated_is_refused():
    for call in (boolean_functions, formula_size):
        with pytest.raises(ValueError, match="must lie in 1 to 4, got 5"):
            call(5)
    with pytest.raises(ValueError, match="'and', perhaps with 'xor', got"):
        formula_size(2, ("nand",))
