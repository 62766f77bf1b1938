package org.kfac4j.network;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;

/**
 * Reads DL4J's JSON, which may come from anywhere. DL4J's own parser makes an object of whatever
 * class the JSON names and overlooks fields that it does not know; so the text is parsed here
 * first, may name classes of DL4J only, and must look like a configuration.
 */
final class Dl4jJson {
  private static final JsonMapper STRICT =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Dl4jJson() {}

  /**
   * @return a MultiLayerConfiguration or a ComputationGraphConfiguration
   * @throws org.kfac4j.InvalidInputException if it is not JSON, neither of the two, or names a
   *     class that is not DL4J's
   */
  static Object read(String json, Refusal refusal) {
    JsonNode tree = tree(json, refusal);
    boolean graph = tree.path("vertices").isObject();
    refusal.require(
        graph || tree.path("confs").isArray(),
        "no configuration of DL4J: it has neither a list \"confs\" nor \"vertices\"");
    for (JsonNode type : tree.findValues("@class")) {
      String name = type.asText();
      refusal.unless(
          name.startsWith("org.deeplearning4j.") || name.startsWith("org.nd4j."), "@class", name);
    }
    try {
      return graph
          ? ComputationGraphConfiguration.fromJson(tree.toString())
          : MultiLayerConfiguration.fromJson(tree.toString());
    } catch (RuntimeException | LinkageError e) {
      throw refusal.invalid("DL4J cannot read this configuration", e);
    }
  }

  private static JsonNode tree(String json, Refusal refusal) {
    try {
      return STRICT.readTree(json);
    } catch (JsonProcessingException e) {
      e.clearLocation(); // else the message quotes the text
      throw refusal.invalid("no valid JSON", e);
    }
  }
}
