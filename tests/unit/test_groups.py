"""Tables of finite groups are groups; random squares are Latin and not groups."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.data import (
    cyclic_table,
    dihedral_table,
    inverses,
    latin_square,
    make_group_products,
    product_table,
    quaternion_table,
    symmetric_table,
)

TABLES = {
    "cyclic": cyclic_table(7),
    "dihedral": dihedral_table(5),
    "symmetric": symmetric_table(4),
    "quaternions": quaternion_table(),
    "product": product_table(symmetric_table(3), cyclic_table(2)),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_group_is_associative_and_has_an_identity_and_inverses(name):
    table = TABLES[name]
    every = torch.arange(len(table))
    assert torch.equal(table[table[:, :, None], every], table[every[:, None, None], table])
    inverse = inverses(table)
    identity = table[every, inverse]
    assert (identity == identity[0]).all()
    assert torch.equal(table[inverse, every], identity)
    assert torch.equal(table[identity[0]], every)


def test_which_groups_commute():
    commutes = {name: bool((table == table.T).all()) for name, table in TABLES.items()}
    assert commutes == {
        "cyclic": True,
        "dihedral": False,
        "symmetric": False,
        "quaternions": False,
        "product": False,
    }


def test_orders_of_elements_tell_the_groups_of_order_8_apart():
    def involutions(table):
        identity = table[0, inverses(table)[0]]
        return int((table.diagonal() == identity).sum()) - 1

    two = cyclic_table(2)
    assert involutions(product_table(product_table(two, two), two)) == 7
    assert involutions(dihedral_table(4)) == 5
    assert involutions(product_table(cyclic_table(4), two)) == 3
    assert involutions(quaternion_table()) == involutions(cyclic_table(8)) == 1


@given(order=st.integers(3, 12), seed=st.integers(0, 1000))
def test_a_random_square_is_latin(order, seed):
    square = latin_square(order, seed=seed, n_moves=30)
    every = torch.arange(order)
    assert torch.equal(square.sort(0).values, every[:, None].expand(order, order))
    assert torch.equal(square.sort(1).values, every.expand(order, order))


def test_a_random_square_forgets_addition_and_depends_on_its_seed():
    agree = [(latin_square(15, seed=s) == cyclic_table(15)).double().mean() for s in range(8)]
    assert abs(torch.stack(agree).mean() - 1 / 15) < 0.02
    assert torch.equal(latin_square(8, seed=3), latin_square(8, seed=3))
    assert not torch.equal(latin_square(8, seed=3), latin_square(8, seed=4))
    with pytest.raises(ValueError, match="no identity"):
        inverses(latin_square(8, seed=3))


@given(n_train=st.integers(7, 48), seed=st.integers(0, 99))
def test_training_and_held_out_pairs_are_all_pairs_once(n_train, seed):
    task = make_group_products(cyclic_table(7), n_train=n_train, seed=seed)
    x, y = torch.cat([task.x_train, task.x_test]), torch.cat([task.y_train, task.y_test])
    a, b = x[:, :7].argmax(1), x[:, 7:].argmax(1)
    assert task.n_train == n_train
    assert (x.sum(1) == 2).all()
    assert sorted((7 * a + b).tolist()) == list(range(49))
    assert torch.equal((a + b) % 7, y)


def test_one_hot_targets_name_the_same_answers():
    plain = make_group_products(dihedral_table(3), n_train=20, seed=1)
    hot = make_group_products(dihedral_table(3), n_train=20, seed=1, one_hot=True)
    assert hot.n_classes == 0
    assert torch.equal(hot.y_train.argmax(1), plain.y_train)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cyclic_table(1), "at least 2"),
        (lambda: dihedral_table(2), "at least 3"),
        (lambda: symmetric_table(7), "2 to 6"),
        (lambda: latin_square(2, seed=0), "at least 3"),
        (lambda: make_group_products(cyclic_table(5), n_train=25, seed=0), "between 5 and 24"),
        (lambda: make_group_products(cyclic_table(5)[:4], n_train=5, seed=0), "shape"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
