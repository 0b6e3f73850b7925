# frozen_string_literal: true

require "test_helper"
require "rbs"
require "support/everything"

# The signatures in sig/ are whole: every class, module, public method and public constant of the gem stands in them,
# and nothing that is not there. That they are right is checked while the other tests run, see `rake test:rbs`.
class SignaturesTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)

  # What needs the compiled library, or Rails, to be loaded.
  ELSEWHERE = ["::ScalingoStagingSync::Native", "::ScalingoStagingSync::Railtie"].freeze

  # What `rake test:rbs` adds beside each method that it checks.
  CHECKED = "__RBS_TEST_"

  def self.environment
    @environment ||= begin
      loader = RBS::EnvironmentLoader.new
      loader.add(path: Pathname(ROOT).join("sig"))
      %w[logger pathname].each { |library| loader.add(library:) }
      RBS::Environment.from_loader(loader).resolve_type_names
    end
  end

  # So that nothing is missed that is loaded when first named.
  def setup = Everything.load

  def test_every_class_and_module_has_a_signature_and_each_signature_a_class
    ours = modules.keys
    theirs = declared.keys - ELSEWHERE
    assert_empty ours - theirs, "without a signature"
    assert_empty theirs - ours, "signatures of what is not there"
  end

  def test_every_public_method_has_a_signature
    missing = modules.flat_map do |name, mod|
      members = declared[name].to_a
      (mod.public_instance_methods(false) - members.select { |kind, _| kind == :instance }.map(&:last)).map { |method| "#{name}##{method}" } +
        (mod.singleton_methods(false) - members.select { |kind, _| kind == :singleton }.map(&:last)).map { |method| "#{name}.#{method}" }
    end
    assert_empty missing.grep_v(/[#.](initialize|members|new|inspect|\[\])\z|#{CHECKED}/o)
  end

  def test_every_public_constant_has_a_signature
    known = self.class.environment.constant_decls.keys.map(&:to_s).select { |name| name.start_with?("::ScalingoStagingSync") }
    there = modules.flat_map do |name, mod|
      mod.constants(false).reject { |constant| mod.const_get(constant).is_a?(Module) }.map { |constant| "#{name}::#{constant}" }
    end
    assert_empty there - known, "without a signature"
    assert_empty known - there, "signatures of what is not there"
  end

  private

  # The gem's classes and modules by name.
  def modules(from = ScalingoStagingSync, name = "::ScalingoStagingSync")
    inner = from.constants(false).map { |constant| ["#{name}::#{constant}", from.const_get(constant)] }
    inner = inner.select { |full, value| value.is_a?(Module) && value.name == full.delete_prefix("::") }
    { name => from }.merge(*inner.map { |full, value| modules(value, full) }).except(*ELSEWHERE)
  end

  # For each class and module in sig/: its methods, as [:instance or :singleton, name].
  def declared
    @declared ||= self.class.environment.class_decls.select { |name, _| name.to_s.start_with?("::ScalingoStagingSync") }.to_h do |name, entry|
      members = entry.decls.map(&:decl).flat_map(&:members)
      [name.to_s, members.flat_map { |member| names(member) }]
    end
  end

  def names(member)
    case member
    when RBS::AST::Members::MethodDefinition
      kinds = (member.kind == :singleton_instance) ? %i[singleton instance] : [member.kind]
      kinds.map { |kind| [kind, member.name] }
    when RBS::AST::Members::AttrReader then [[member.kind, member.name]]
    when RBS::AST::Members::Alias then [[member.kind, member.new_name]]
    else []
    end
  end
end
