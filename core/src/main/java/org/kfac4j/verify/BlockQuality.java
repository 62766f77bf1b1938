package org.kfac4j.verify;

/**
 * How good an approximation of a layer's Fisher block is.
 *
 * @param entry of the table of preconditioners, or K-FAC with a kind of weight sharing
 * @param layer its name
 * @param block what was compared, for tables: {@code 785 × 300, 24 × 24 directions}
 * @param error ‖F̂ − F‖ / ‖F‖ in the Frobenius norm, of the restricted blocks
 * @param traceRatio tr F̂ / tr F, of the whole ones
 */
public record BlockQuality(
    String entry, String layer, String block, double error, double traceRatio) {}
