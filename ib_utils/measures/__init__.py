"""What is measured on functions, features, weights and learning curves: a function in, numbers out."""

from ib_utils.measures.activation_regions import (
    activation_patterns,
    gradient_confusion,
    gradient_cosines,
    grid_neighbours,
    pattern_distance,
)
from ib_utils.measures.bits_of_bias import (
    bits_by_rejection,
    bits_by_tail_fit,
    bits_of_gaussian_hypotheses,
    draw_losses,
    gaussian_posterior,
    log_evidence,
)
from ib_utils.measures.bures_wasserstein import (
    bures_wasserstein_gradient,
    bures_wasserstein_loss,
    spectral_subset,
    square_gradient,
)
from ib_utils.measures.code_length import adaptive_code_length, prefix_period, prequential_code_length
from ib_utils.measures.complexity import (
    above_median,
    chebyshev_coefficients,
    chebyshev_nodes,
    chebyshev_order,
    fourier_magnitudes,
    lempel_ziv_bits,
    lempel_ziv_words,
    mean_frequency,
    radial_spectrum,
)
from ib_utils.measures.cue_reliance import accuracy_under_noise, cue_reliance
from ib_utils.measures.diverse_stimuli import diverse_stimuli, phase_coverage
from ib_utils.measures.early_clusters import slow_examples, upsampled
from ib_utils.measures.explained_information import explained_information, mutual_information
from ib_utils.measures.feature_energy import ascend_feature_energy, feature_energy
from ib_utils.measures.formula_size import formula_size
from ib_utils.measures.fourier_features import (
    character_part,
    concentration,
    cubic_norm,
    irrep_power,
    irrep_projections,
    largest_cyclic_margin,
    neuron_power,
    smallest_margin,
)
from ib_utils.measures.frequency_learning import (
    frequency_eigenvalues,
    frequency_errors,
    learning_times,
    snapshot_outputs,
)
from ib_utils.measures.generalisation_difficulty import (
    bits_of_flat_prior,
    generalisation_difficulty,
    undetermined_directions,
)
from ib_utils.measures.guessing import (
    expected_guess_agreement,
    guess_agreement,
    guess_share_distribution,
    relu_cosine,
)
from ib_utils.measures.imputation import factor_imputation_bias, imputation_bias, imputed_risk, ridge_risk
from ib_utils.measures.intrinsic_dimension import (
    label_sharpness,
    maximum_likelihood_dimension,
    two_neighbours_dimension,
)
from ib_utils.measures.learning_curves import data_factor, examples_needed
from ib_utils.measures.monotonicity import distance_to_monotonicity
from ib_utils.measures.neural_tangent_kernel import empirical_ntk, gradient_descent_prediction
from ib_utils.measures.programs import Programs, best_fit, enumerate_programs, occam_bound, shortest_description
from ib_utils.measures.reliance import area_under_curve, dealt_out_anew
from ib_utils.measures.state_probe import ProbeScores, probe_scores
from ib_utils.measures.utilised_rank import Utilisation, energy_rank, utilisation

__all__ = [
    "ProbeScores",
    "Programs",
    "Utilisation",
    "above_median",
    "accuracy_under_noise",
    "activation_patterns",
    "adaptive_code_length",
    "area_under_curve",
    "ascend_feature_energy",
    "best_fit",
    "bits_by_rejection",
    "bits_by_tail_fit",
    "bits_of_flat_prior",
    "bits_of_gaussian_hypotheses",
    "bures_wasserstein_gradient",
    "bures_wasserstein_loss",
    "character_part",
    "chebyshev_coefficients",
    "chebyshev_nodes",
    "chebyshev_order",
    "concentration",
    "cubic_norm",
    "cue_reliance",
    "data_factor",
    "dealt_out_anew",
    "distance_to_monotonicity",
    "diverse_stimuli",
    "draw_losses",
    "empirical_ntk",
    "energy_rank",
    "enumerate_programs",
    "examples_needed",
    "expected_guess_agreement",
    "explained_information",
    "factor_imputation_bias",
    "feature_energy",
    "formula_size",
    "fourier_magnitudes",
    "frequency_eigenvalues",
    "frequency_errors",
    "gaussian_posterior",
    "generalisation_difficulty",
    "gradient_confusion",
    "gradient_cosines",
    "gradient_descent_prediction",
    "grid_neighbours",
    "guess_agreement",
    "guess_share_distribution",
    "imputation_bias",
    "imputed_risk",
    "irrep_power",
    "irrep_projections",
    "label_sharpness",
    "largest_cyclic_margin",
    "learning_times",
    "lempel_ziv_bits",
    "lempel_ziv_words",
    "log_evidence",
    "maximum_likelihood_dimension",
    "mean_frequency",
    "mutual_information",
    "neuron_power",
    "occam_bound",
    "pattern_distance",
    "phase_coverage",
    "prefix_period",
    "prequential_code_length",
    "probe_scores",
    "radial_spectrum",
    "relu_cosine",
    "ridge_risk",
    "shortest_description",
    "slow_examples",
    "smallest_margin",
    "snapshot_outputs",
    "spectral_subset",
    "square_gradient",
    "two_neighbours_dimension",
    "undetermined_directions",
    "upsampled",
    "utilisation",
]
