"""The reference's names for queries, aggregations and members of a search body.

What is here and not implemented is refused as such; what is not here is unknown.
"""

QUERIES = frozenset(
    """bool boosting combined_fields constant_score dis_max distance_feature exists field_masking_span function_score
    fuzzy geo_bounding_box geo_distance geo_polygon geo_shape has_child has_parent ids intervals knn match match_all
    match_bool_prefix match_none match_phrase match_phrase_prefix more_like_this multi_match nested parent_id percolate
    pinned prefix query_string range rank_feature regexp rule script script_score semantic shape simple_query_string
    span_containing span_first span_gap span_multi span_near span_not span_or span_term span_within sparse_vector
    term terms terms_set text_expansion weighted_tokens wildcard wrapper""".split()
)

AGGREGATIONS = frozenset(
    """adjacency_matrix auto_date_histogram avg avg_bucket boxplot bucket_correlation bucket_count_ks_test
    bucket_script bucket_selector bucket_sort cardinality categorize_text change_point children composite
    cumulative_sum date_histogram date_range derivative diversified_sampler extended_stats
    extended_stats_bucket filter filters frequent_item_sets geo_bounds geo_centroid geo_distance geo_line
    geohash_grid geohex_grid geotile_grid global histogram inference ip_prefix ip_range matrix_stats max max_bucket
    median_absolute_deviation min min_bucket missing moving_fn multi_terms nested normalize parent
    percentile_ranks percentiles percentiles_bucket random_sampler range rare_terms rate reverse_nested sampler
    scripted_metric serial_diff significant_terms significant_text stats stats_bucket string_stats sum sum_bucket
    t_test terms time_series top_hits top_metrics value_count variable_width_histogram weighted_avg""".split()
)

BODY_MEMBERS = frozenset(
    """_source aggregations aggs collapse docvalue_fields explain ext fields from highlight indices_boost knn min_score
    pit post_filter profile query rank rescore retriever runtime_mappings script_fields search_after
    seq_no_primary_term size slice sort stats stored_fields sub_searches suggest terminate_after timeout
    track_scores track_total_hits version""".split()
)
